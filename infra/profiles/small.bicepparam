// 10,000 calls a month: a few a minute at the busiest. Reasons: docs/deploy.md, Sizing.
using '../main.bicep'

// Public door: Microsoft.Network/networkSecurityGroups: those whom `clientPrefixes` names call Application Gateway on 443.
// Public door: Microsoft.Network/publicIPAddresses: Application Gateway has an address for clients.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'small')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param publisherName = readEnvironmentVariable('PUBLISHER_NAME', 'PromptLedger')
param publisherEmail = readEnvironmentVariable('PUBLISHER_EMAIL', first(split(readEnvironmentVariable('ALERT_MAIL_ADDRESSES'), ',')))
param sqlAdministratorsName = readEnvironmentVariable('SQL_ADMINISTRATORS_NAME', 'promptledger-administrators')
param sqlAdministratorsObjectId = readEnvironmentVariable('SQL_ADMINISTRATORS_OBJECT_ID')
param alertMailAddresses = split(replace(readEnvironmentVariable('ALERT_MAIL_ADDRESSES'), ' ', ''), ',')
param auditLogsLocked = bool(readEnvironmentVariable('AUDIT_LOGS_LOCKED', 'false'))
param auditClientId = readEnvironmentVariable('AUDIT_CLIENT_ID', '')
param certificateId = readEnvironmentVariable('CERTIFICATE_ID', '')
param operatorMachineKey = readEnvironmentVariable('OPERATOR_MACHINE_KEY', '')
param publisherPrincipalId = readEnvironmentVariable('PUBLISHER_PRINCIPAL_ID', '')
// No default: the platform refuses a new v2 service that is closed, and an old one must not be opened again.
param apiManagementOpenOnCreation = bool(readEnvironmentVariable('FIRST_DEPLOYMENT'))

// One gateway unit answers hundreds of calls a second.
param apiManagementSku = 'StandardV2'
param apiManagementCapacity = 1
param applicationGatewayMinimum = 0
param applicationGatewayMaximum = 2

param openAIInstances = [
  {
    name: 'first'
    location: 'swedencentral'
    priority: 1
    weight: 1
    deployments: [
      {
        name: 'gpt-5.6-luna'
        model: 'gpt-5.6-luna'
        version: '2026-07-09'
        sku: 'DataZoneStandard'
        capacity: 30
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 30
      }
    ]
  }
]

// Other vendors' models behind the same gateway, one object each: docs/deploy.md.
param vendorApis = []

param teams = [
  {
    name: 'default'
    displayName: 'Everybody'
    tokensPerMinute: 30000
    groupId: ''
  }
]

param eventHubsSku = 'Standard'
param eventHubsCapacity = 1
param eventHubsMaximum = 2
param partitionCount = 2
param retentionHours = 168

// Nothing waits: the first events after a pause are stored some seconds later.
param alwaysReadyHttp = 0
param alwaysReadyIngest = 0
param maximumInstances = 40

param sqlSku = 'GP_S_Gen5'
param sqlCores = 1
param sqlMinimumCores = '0.5'
// The timers ask the ledger every minute, so it would never pause; and one that may pause keeps no weekly backups.
param sqlAutoPauseMinutes = -1
param sqlMaximumGiB = 32
param sqlBackupRedundancy = 'Local'

param cosmosServerless = true
param storageSku = 'Standard_LRS'
param zoneRedundant = false
param logRetentionDays = 30
param logDailyQuotaGiB = 1
