// 100,000 calls a month: one every other second at the busiest. Reasons: docs/deploy.md, Sizing.
using '../main.bicep'

// Public door: Microsoft.Network/networkSecurityGroups: those whom `clientPrefixes` names call Application Gateway on 443.
// Public door: Microsoft.Network/publicIPAddresses: Application Gateway has an address for clients.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'medium')
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

param apiManagementSku = 'StandardV2'
param apiManagementCapacity = 1
param applicationGatewayMinimum = 1
param applicationGatewayMaximum = 4

// Two instances: the second takes over when the first is at its limit or gone.
param openAIInstances = [
  {
    name: 'first'
    location: 'swedencentral'
    priority: 1
    weight: 1
    deployments: [
      {
        name: 'gpt-5.5'
        model: 'gpt-5.5'
        version: '2026-04-24'
        sku: 'DataZoneStandard'
        capacity: 100
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 100
      }
    ]
  }
  {
    name: 'second'
    location: 'francecentral'
    priority: 2
    weight: 1
    deployments: [
      {
        name: 'gpt-5.5'
        model: 'gpt-5.5'
        version: '2026-04-24'
        sku: 'DataZoneStandard'
        capacity: 50
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 50
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
    tokensPerMinute: 100000
    groupId: ''
  }
]

param eventHubsSku = 'Standard'
param eventHubsCapacity = 1
param eventHubsMaximum = 4
param partitionCount = 4
param retentionHours = 168

param alwaysReadyHttp = 1
param alwaysReadyIngest = 1
param maximumInstances = 40

param sqlSku = 'GP_S_Gen5'
param sqlCores = 2
param sqlMinimumCores = '0.5'
param sqlAutoPauseMinutes = -1
param sqlMaximumGiB = 64
param sqlBackupRedundancy = 'Geo'

param cosmosServerless = true
param storageSku = 'Standard_ZRS'
param zoneRedundant = false
param logRetentionDays = 90
