// Beside what you have: no gateway and no models, all else of the smallest size. What it costs: docs/deploy.md, Beside what you have.
using '../main.bicep'

// Public door: Microsoft.EventHub/namespaces: the functions' subnet and `senderPrefixes`, with a role on the hub.
// Public door: Microsoft.Insights/components: takes telemetry of identities with the role, and answers people with theirs.
// Public door: Microsoft.OperationalInsights/workspaces: answers people with a role; it has no firewall to narrow it by.
// Public door: Microsoft.Sql/servers: the functions' subnet, and a hook's own address while it works; Entra sign-in alone.
// Public door: Microsoft.Storage/storageAccounts: the functions' subnet, with a role; no keys.
// Public door: Microsoft.Web/sites: `callerPrefixes`, and a hook's own address while it works; Entra sign-in before the app.

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')

param deployGateway = false
param isolation = readEnvironmentVariable('ISOLATION', 'open')
// With commas: who sends events and who may ask, in the open isolation.
param senderPrefixes = filter(split(replace(readEnvironmentVariable('SENDER_PREFIXES', ''), ' ', ''), ','), prefix => !empty(prefix))
param callerPrefixes = filter(split(replace(readEnvironmentVariable('CALLER_PREFIXES', ''), ' ', ''), ','), prefix => !empty(prefix))

// What is there already; empty makes it.
param existingVirtualNetworkId = readEnvironmentVariable('EXISTING_VIRTUAL_NETWORK_ID', '')
param existingPrivateDnsZonesId = readEnvironmentVariable('EXISTING_PRIVATE_DNS_ZONES_ID', '')
param existingWorkspaceId = readEnvironmentVariable('EXISTING_WORKSPACE_ID', '')
param existingHubs = empty(readEnvironmentVariable('EXISTING_EVENT_HUBS_ID', '')) ? {} : {
  namespaceId: readEnvironmentVariable('EXISTING_EVENT_HUBS_ID', '')
  gatewayHubName: readEnvironmentVariable('EXISTING_GATEWAY_HUB', 'gateway')
  monitorHubName: readEnvironmentVariable('EXISTING_MONITOR_HUB', 'monitor')
  consumerGroupName: readEnvironmentVariable('EXISTING_CONSUMER_GROUP', 'promptledger')
}

// The hook before provisioning says who administers: the group that these name, or whoever is signed in.
param sqlAdministratorsName = readEnvironmentVariable('SQL_ADMINISTRATORS_NAME', 'promptledger-administrators')
param sqlAdministratorsObjectId = readEnvironmentVariable('SQL_ADMINISTRATORS_OBJECT_ID')
param sqlAdministratorsType = readEnvironmentVariable('SQL_ADMINISTRATORS_TYPE', 'Group')
param auditClientId = readEnvironmentVariable('AUDIT_CLIENT_ID', '')
param publisherPrincipalId = readEnvironmentVariable('PUBLISHER_PRINCIPAL_ID', '')
param alertMailAddresses = split(replace(readEnvironmentVariable('ALERT_MAIL_ADDRESSES'), ' ', ''), ',')
param auditLogsLocked = bool(readEnvironmentVariable('AUDIT_LOGS_LOCKED', 'false'))

param eventHubsSku = 'Standard'
// Whoever streams diagnostic settings to the hub `monitor` tries without first: docs/operations.md, Keys of the hubs.
param allowEventHubsKeys = bool(readEnvironmentVariable('ALLOW_EVENT_HUBS_KEYS', 'false'))
param eventHubsCapacity = 1
param eventHubsMaximum = 2
param partitionCount = 2
param retentionHours = 168

// Nothing waits: the first events after a pause are stored some seconds later.
param alwaysReadyHttp = 0
param alwaysReadyIngest = 0
param maximumInstances = 40

param sqlSku = readEnvironmentVariable('SQL_SKU', 'S0')
param sqlMaximumGiB = 32
param sqlBackupRedundancy = 'Local'
param sqlRestoreDays = 7
param sqlThreatDetection = false

param operatorMachineKey = readEnvironmentVariable('OPERATOR_MACHINE_KEY', '')

param contentStore = 'sql'
param storageSku = 'Standard_LRS'
param zoneRedundant = false
param logRetentionDays = 30
param logDailyQuotaGiB = 1
