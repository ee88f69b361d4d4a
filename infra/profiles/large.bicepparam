// 10 million calls a month: 50 a second at the busiest. Reasons: docs/deploy.md, Sizing.
using '../main.bicep'

// Public door: Microsoft.ApiManagement/service: the platform manages a classic tier from outside; its gateway is inside.
// Public door: Microsoft.Network/networkSecurityGroups: those whom `clientPrefixes` names call Application Gateway on 443.
// Public door: Microsoft.Network/publicIPAddresses: Application Gateway has one for clients, a classic API Management one for its management.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'large')
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

// Classic and injected: zones, and no public gateway from the first minute on.
param apiManagementSku = 'Premium'
param apiManagementCapacity = 3
param applicationGatewayMinimum = 3
param applicationGatewayMaximum = 20
param callsPerMinutePerAddress = 20000

// Provisioned throughput first; what it cannot take spills over to two regions that share it evenly.
param openAIInstances = [
  {
    name: 'provisioned'
    location: 'swedencentral'
    priority: 1
    weight: 1
    deployments: [
      {
        name: 'gpt-5.4'
        model: 'gpt-5.4'
        version: '2026-03-05'
        sku: 'DataZoneProvisionedManaged'
        capacity: 100
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 350
      }
    ]
  }
  {
    name: 'france'
    location: 'francecentral'
    priority: 2
    weight: 50
    deployments: [
      {
        name: 'gpt-5.4'
        model: 'gpt-5.4'
        version: '2026-03-05'
        sku: 'DataZoneStandard'
        capacity: 450
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 350
      }
    ]
  }
  {
    name: 'germany'
    location: 'germanywestcentral'
    priority: 2
    weight: 50
    deployments: [
      {
        name: 'gpt-5.4'
        model: 'gpt-5.4'
        version: '2026-03-05'
        sku: 'DataZoneStandard'
        capacity: 450
      }
      {
        name: 'text-embedding-3-small'
        model: 'text-embedding-3-small'
        version: '1'
        sku: 'DataZoneStandard'
        capacity: 350
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
    tokensPerMinute: 500000
    groupId: ''
  }
]

param eventHubsSku = 'Premium'
param eventHubsCapacity = 1
param eventHubsMaximum = 0
param partitionCount = 16
param retentionHours = 336
param captureRawEvents = true

param alwaysReadyHttp = 2
param alwaysReadyIngest = 2
param maximumInstances = 100
param instanceMemoryMB = 4096

param sqlSku = 'HS_Gen5'
param sqlCores = 4
param sqlBackupRedundancy = 'GeoZone'
param sqlRestoreDays = 35
param ledgerDigests = true

param cosmosServerless = false
param cosmosMaximumThroughput = 10000
param storageSku = 'Standard_GZRS'
param zoneRedundant = true
param secondaryLocation = 'francecentral'
param logRetentionDays = 365
param deployDataExplorer = true
