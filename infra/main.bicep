// The whole architecture in one resource group: composition only, every resource stands in a module.
targetScope = 'resourceGroup'

metadata description = 'A complete record of every call to Azure OpenAI: beside a gateway that is there, or with one.'

// General

@description('Name of the environment, such as dev or prod: part of every name.')
@minLength(2)
@maxLength(12)
param environmentName string

@description('Region of everything but further Azure OpenAI instances and secondary replicas.')
param location string = resourceGroup().location

@description('Further tags of all resources.')
param tags object = {}

// What there is to be

@description('Deploy the gateway too: API Management, the models behind it, the way in and their vault. False stands beside an API Management of one\'s own.')
param deployGateway bool = true

@description('`private`: all is reached through private endpoints alone. `open`: public endpoints that let in the functions\' subnet and networks that are named. Only without gateway, Cosmos DB and Data Explorer.')
@allowed([
  'open'
  'private'
])
param isolation string = 'private'

@description('Addresses and ranges that send events in the open isolation, such as the public addresses of one\'s own API Management.')
param senderPrefixes array = []

@description('Addresses and ranges that may ask the audit API in the open isolation.')
param callerPrefixes array = []

// Network

@description('Virtual network to use in place of a new one: its resource id. It has the subnets that docs/deploy.md lists.')
param existingVirtualNetworkId string = ''

@description('Resource group that holds the private DNS zones already: its resource id. Empty makes them here.')
param existingPrivateDnsZonesId string = ''

@description('Address space of the new network.')
param addressPrefix string = '10.60.0.0/22'

@description('Address prefixes of the new network\'s subnets.')
param subnetPrefixes object = {
  applicationGateway: '10.60.0.0/24'
  apiManagement: '10.60.1.0/26'
  functions: '10.60.1.64/26'
  operations: '10.60.1.128/27'
  gateway: '10.60.1.160/27'
  privateEndpoints: '10.60.2.0/24'
}

@description('Where clients may call Application Gateway from: address prefixes or service tags.')
param clientPrefixes array = [
  'Internet'
]

@description('DNS servers of the new network; none means the platform\'s own.')
param dnsServers array = []

@description('Gateway to the organisation\'s own sites.')
@allowed([
  'None'
  'ExpressRoute'
  'Vpn'
])
param hybridGatewayType string = 'None'

@description('Size of that gateway, such as ErGw2AZ or VpnGw2AZ; empty for the least of its kind.')
param hybridGatewaySku string = ''

@description('Availability zones of zonal resources; none for a region without.')
param zones array = [
  '1'
  '2'
  '3'
]

// Operator machine

@description('Public key of the operator machine, which runs what nobody can do from a desk: docs/deploy.md makes one. Empty leaves the machine out.')
param operatorMachineKey string = ''

@description('Size of the operator machine.')
param operatorMachineSize string = 'Standard_B2als_v2'

@description('Let the operator machine put other vendors\' keys into the vault.')
param operatorMachineSetsSecrets bool = false

// Application Gateway

@description('TLS certificate of Application Gateway: the address of its secret in Key Vault, without version. Empty leaves the gateway out until the vault holds one.')
param certificateId string = ''

@description('Fewest instances of Application Gateway.')
param applicationGatewayMinimum int = 1

@description('Most instances of Application Gateway.')
param applicationGatewayMaximum int = 4

@description('Address in the subnet `application-gateway` for callers from the organisation\'s own networks; empty for none.')
param applicationGatewayPrivateAddress string = ''

@description('What the web application firewall does with a call that breaks a rule.')
@allowed([
  'Detection'
  'Prevention'
])
param firewallMode string = 'Prevention'

@description('Calls a minute from one address after which the firewall holds it back.')
param callsPerMinutePerAddress int = 3000

@description('Seconds that Application Gateway waits for an answer to begin or go on. API Management waits for 240 at most.')
param requestTimeoutSeconds int = 600

// API Management

@description('Tier of API Management.')
@allowed([
  'Developer'
  'Premium'
  'StandardV2'
])
param apiManagementSku string = 'StandardV2'

@description('Units of API Management.')
param apiManagementCapacity int = 1

@description('True for the very first deployment of StandardV2 only: the platform makes no such service without a public door.')
param apiManagementOpenOnCreation bool = false

@description('Name that API Management writes in its mails.')
param publisherName string = 'PromptLedger'

@description('Address that API Management\'s notifications go to.')
param publisherEmail string = ''

@description('Audience of clients\' tokens for Azure OpenAI.')
param openAIAudience string = 'https://cognitiveservices.azure.com'

@description('Operations of Azure OpenAI that callers do without, named as in the record; some services refuse an API of more than 100. docs/capture.md has the list.')
@allowed([
  'assistants'
  'audio.speech'
  'audio.transcriptions'
  'audio.translations'
  'batches'
  'chat.completions'
  'completions'
  'containers'
  'conversations'
  'deployments'
  'embeddings'
  'evals'
  'files'
  'fine_tuning.jobs'
  'images.edits'
  'images.generations'
  'models'
  'realtime'
  'responses'
  'threads'
  'threads.messages'
  'threads.runs'
  'threads.runs.steps'
  'uploads'
  'vector_stores'
])
param openAIOperationsLeftOut array = []

@description('Teams that call: objects with `name`, `displayName`, `tokensPerMinute` and `groupId` (Entra group whose members may call; empty for anybody with the subscription).')
param teams array = []

@description('Write bodies that are too big for an event to Blob storage; otherwise they travel in parts.')
param captureClaimChecks bool = true

@description('Calls a minute of one caller whose bodies are recorded; calls beyond are told without them. 0 for all.')
@minValue(0)
param captureCallsPerMinute int = 600

@description('Who owns files, threads, stored responses and other objects, which nobody else may name: teams share one instance.')
@allowed([
  'subscription'
  'application'
  'person'
  'off'
])
param objectOwner string = 'subscription'

@description('Objects that nobody is known to own: whoever names one first has it (adopt), or nobody gets it (refuse).')
@allowed([
  'adopt'
  'refuse'
])
param unknownObjects string = 'adopt'

@description('Calls of those whose budget is used up: off, mark, refuse, or refuse-unknown, which also refuses while nobody can say.')
@allowed([
  'off'
  'mark'
  'refuse'
  'refuse-unknown'
])
param budgetEnforcement string = 'off'

@description('Refuse calls that bring their key in the URL, where logs keep it.')
param refuseQueryKeys bool = true

// Azure OpenAI

@description('Instances: objects with `name`, `location`, `priority` (1 is tried first), `weight` and `deployments` (objects with `name`, `model`, `version`, `sku`, `capacity`). The first serves stateful operations.')
param openAIInstances array = []

// Other vendors' models

@description('APIs of other vendors that the gateway serves too: objects with `vendor` (anthropic, model-inference, gemini or bedrock), `url` and `vaultEntry` (the secret in this estate\'s vault with the key of gemini or bedrock; empty for those on Azure AI Foundry). None unless somebody says so.')
param vendorApis array = []

// Event Hubs

@description('Hubs to read in place of new ones: an object with `namespaceId`, `gatewayHubName`, `monitorHubName` and `consumerGroupName`, a group that nobody else reads with. Empty makes them.')
param existingHubs object = {}

@description('Tier of Event Hubs.')
@allowed([
  'Standard'
  'Premium'
])
param eventHubsSku string = 'Standard'

@description('Throughput or processing units of Event Hubs to begin with.')
param eventHubsCapacity int = 1

@description('Throughput units up to which Standard inflates by itself.')
param eventHubsMaximum int = 4

@description('Partitions of each hub.')
param partitionCount int = 4

@description('Hours for which hubs keep events: the time that a store may be down without loss.')
param retentionHours int = 168

@description('Keep the raw events of both hubs in Blob storage as well.')
param captureRawEvents bool = false

@description('Further consumer groups on both hubs. Not that of Data Explorer, which makes its own.')
param furtherConsumerGroups array = []

@description('Let holders of a key into the Event Hubs namespace. Off where it was shown that Azure Monitor streams without: docs/operations.md.')
param allowEventHubsKeys bool = true

// Function app

@description('Python that the app runs on.')
@allowed([
  '3.11'
  '3.12'
  '3.13'
])
param pythonVersion string = '3.13'

@description('Memory of an instance of the app in MB.')
@allowed([
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Most instances of the app.')
param maximumInstances int = 40

@description('Instances that wait for HTTP calls.')
param alwaysReadyHttp int = 0

@description('Instances that wait for each hub\'s events.')
param alwaysReadyIngest int = 0

@description('Entra application of the audit API: client id, as infra/scripts/audit-app.sh prints it. While it is empty, the audit API answers nobody; all else goes on.')
param auditClientId string = ''

@description('Identity that publishes the app\'s package: object id of the pipeline\'s service principal; empty for none.')
param publisherPrincipalId string = ''

// Azure SQL

@description('Entra group or person that administers the database server: its name.')
param sqlAdministratorsName string

@description('Entra group or person that administers the database server: its object id.')
@minLength(36)
param sqlAdministratorsObjectId string

@description('What the administrator is. A group outlives who is in it.')
@allowed([
  'Group'
  'User'
])
param sqlAdministratorsType string = 'Group'

@description('Kind of database: Basic, S0 and S1 are the smallest, by transaction units; GP_S_Gen5 is serverless, GP_Gen5 provisioned, BC_Gen5 business critical, HS_Gen5 hyperscale.')
@allowed([
  'Basic'
  'S0'
  'S1'
  'GP_S_Gen5'
  'GP_Gen5'
  'BC_Gen5'
  'HS_Gen5'
])
param sqlSku string = 'GP_S_Gen5'

@description('Virtual cores of the database.')
param sqlCores int = 2

@description('Fewest virtual cores of a serverless database, as text.')
param sqlMinimumCores string = '0.5'

@description('Idle minutes after which a serverless database pauses; -1 never.')
param sqlAutoPauseMinutes int = -1

@description('Largest size of the database in GiB.')
param sqlMaximumGiB int = 32

@description('Redundancy of the database\'s backups.')
@allowed([
  'Geo'
  'GeoZone'
  'Local'
  'Zone'
])
param sqlBackupRedundancy string = 'Geo'

@description('Days for which any second of the database can be restored.')
param sqlRestoreDays int = 14

@description('How long weekly backups of the database are kept, as an ISO 8601 duration. A database that pauses has none.')
param sqlWeeklyRetention string = 'P12W'

@description('Watch the database with Defender for SQL, about 15 USD a month for each server.')
param sqlThreatDetection bool = true

@description('Upload digests of ledger tables.')
param ledgerDigests bool = false

@description('Days for which audit logs and digests may be added to, but neither changed nor deleted.')
param auditDays int = 365

@description('True once `infra/scripts/lock-audit-logs` has locked those days: the platform refuses a deployment that states them again.')
param auditLogsLocked bool = false

// Content

@description('Where texts are kept: in Cosmos DB, or beside the ledger.')
@allowed([
  'cosmos'
  'sql'
])
param contentStore string = 'cosmos'

@description('Cosmos DB without reserved throughput.')
param cosmosServerless bool = true

@description('Most request units a second of the content container, where throughput is reserved.')
param cosmosMaximumThroughput int = 1000

@description('Days for which content is kept; 0 for ever.')
param contentDays int = 365

@description('Days for which records that speak of no call are kept; 0 for ever.')
param asideDays int = 30

@description('Webhooks that are told of alerts of budgets, as docs/operations.md has them: a reference to Key Vault, such as @Microsoft.KeyVault(SecretUri=...).')
param alertWebhooks string = ''

@description('Key with which those alerts are signed: a reference to Key Vault.')
#disable-next-line secure-secrets-in-params // a reference, which the platform follows
param alertWebhookKey string = ''

@description('Days for which claim checks and captured raw events are kept; 0 for ever. Not shorter than contentDays, and than any hold.')
param blobDays int = 365

// Availability

@description('Spread databases and plans over availability zones.')
param zoneRedundant bool = false

@description('Redundancy of storage accounts.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_LRS'

@description('Region that takes over the ledger and the content when this one is lost; empty for none.')
param secondaryLocation string = ''

// Monitoring

@description('Log Analytics workspace to use in place of a new one: its resource id.')
param existingWorkspaceId string = ''

@description('Mail addresses that alerts go to.')
@minLength(1)
param alertMailAddresses array

@description('Days for which logs are kept.')
param logRetentionDays int = 90

@description('GiB of logs a day after which the workspace takes no more; -1 for no limit.')
param logDailyQuotaGiB int = -1

@description('Carry logs and telemetry inside the network, where the isolation is private. False where the network\'s DNS has a private link scope of its own.')
param monitorPrivateLink bool = true

@description('Let signed-in people query logs from outside the network.')
param publicLogQueries bool = false

@description('Let Log Analytics hold prompts and answers too: whoever reads the workspace then reads them. The article\'s two saved queries need it.')
param contentInWorkspace bool = false

// Data Explorer

@description('Deploy Data Explorer, which reads the hubs beside the app.')
param deployDataExplorer bool = false

@description('Entra group of analysts, who ask Data Explorer for everything but content: its object id; empty for none.')
param analystsGroupId string = ''

// Names

var token = uniqueString(resourceGroup().id, environmentName)
// Some services take no capitals in a name.
var suffix = toLower('${environmentName}-${token}')
var allTags = union(tags, {
  'azd-env-name': environmentName
  product: 'promptledger'
})
var claimCheckContainerName = 'claim-checks'
var exportContainerName = 'exports'
var captureContainerName = 'raw-events'
var packageContainerName = 'packages'
var trainingContainerName = 'training'
// Keys of vendors stand in the vault, and API Management passes its firewall as itself and as a trusted service alone.
var gatewayReadsKeys = contains(string(vendorApis), '"gemini"') || contains(string(vendorApis), '"bedrock"')
// Those have no public endpoint that could be narrowed to networks and names as well.
var mustBePrivate = deployGateway || deployDataExplorer || contentStore == 'cosmos'
var isOpen = isolation == 'open' && (mustBePrivate ? fail('The isolation open is for an estate without gateway, Cosmos DB and Data Explorer.') : true)
var makesHubs = empty(existingHubs)
var namespaceParts = split(makesHubs ? resourceGroup().id : existingHubs.namespaceId, '/')
var hasWayIn = deployGateway && !empty(certificateId)
var hasOperatorMachine = !empty(operatorMachineKey)
var isApiManagementV2 = apiManagementSku == 'StandardV2'

// Network

var makesNetwork = empty(existingVirtualNetworkId)
var hasHybridGateway = !isOpen && hybridGatewayType != 'None'

module network 'modules/network.bicep' = if (makesNetwork) {
  name: 'network'
  params: {
    name: 'vnet-promptledger-${suffix}'
    location: location
    tags: allTags
    logAnalyticsWorkspaceId: monitoring.outputs.workspaceId
    isolation: isolation
    addressPrefix: addressPrefix
    subnetPrefixes: subnetPrefixes
    apiManagementDelegation: isApiManagementV2 ? 'Microsoft.Web/serverFarms' : ''
    clientPrefixes: clientPrefixes
    deployGatewaySubnet: hasHybridGateway
    dnsServers: dnsServers
  }
}

var networkId = makesNetwork ? network!.outputs.id : existingVirtualNetworkId

module privateDns 'modules/private-dns.bicep' = if (!isOpen) {
  name: 'private-dns'
  params: {
    tags: allTags
    virtualNetworkId: networkId
    existingZonesId: existingPrivateDnsZonesId
    // A classic API Management stands in the network itself.
    withoutZones: isApiManagementV2 ? [] : [
      'apiManagement'
    ]
  }
}

var noZones = {
  apiManagement: ''
  blob: ''
  cosmos: ''
  eventHubs: ''
  monitor: ''
  monitorAgents: ''
  monitorIngestion: ''
  monitorManagement: ''
  openAI: ''
  sites: ''
  sql: ''
  table: ''
  vault: ''
}

// What all modules below are told.
var estate = {
  location: location
  tags: allTags
  suffix: suffix
  token: token
  workspaceId: monitoring.outputs.workspaceId
  networkId: networkId
  isolation: isolation
  subnetIds: {
    apiManagement: '${networkId}/subnets/api-management'
    applicationGateway: '${networkId}/subnets/application-gateway'
    functions: '${networkId}/subnets/functions'
    gateway: '${networkId}/subnets/GatewaySubnet'
    operations: '${networkId}/subnets/operations'
    privateEndpoints: '${networkId}/subnets/private-endpoints'
  }
  zoneIds: isOpen ? noZones : privateDns!.outputs.zoneIds
}

module hybridGateway 'modules/hybrid-gateway.bicep' = if (hasHybridGateway) {
  name: 'hybrid-gateway'
  params: {
    estate: estate
    gatewayType: hybridGatewayType == 'Vpn' ? 'Vpn' : 'ExpressRoute'
    skuName: hybridGatewaySku
  }
}

// Identities: one for each part that signs in to others

module appIdentity 'modules/identity.bicep' = {
  name: 'identity-app'
  params: {
    estate: estate
    purpose: 'app'
  }
}

module apiManagementIdentity 'modules/identity.bicep' = if (deployGateway) {
  name: 'identity-api-management'
  params: {
    estate: estate
    purpose: 'apim'
  }
}

module applicationGatewayIdentity 'modules/identity.bicep' = if (deployGateway) {
  name: 'identity-application-gateway'
  params: {
    estate: estate
    purpose: 'agw'
  }
}

module eventHubsIdentity 'modules/identity.bicep' = if (makesHubs) {
  name: 'identity-event-hubs'
  params: {
    estate: estate
    purpose: 'evh'
  }
}

module openAIIdentity 'modules/identity.bicep' = if (deployGateway) {
  name: 'identity-openai'
  params: {
    estate: estate
    purpose: 'oai'
  }
}

module sqlIdentity 'modules/identity.bicep' = {
  name: 'identity-sql'
  params: {
    estate: estate
    purpose: 'sql'
  }
}

module operatorIdentity 'modules/identity.bicep' = if (hasOperatorMachine) {
  name: 'identity-operator'
  params: {
    estate: estate
    purpose: 'operator'
  }
}

// Monitoring

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    existingWorkspaceId: existingWorkspaceId
    workspaceName: 'log-promptledger-${suffix}'
    componentName: 'appi-promptledger-${suffix}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyQuotaGiB: logDailyQuotaGiB
    publicIngestion: isOpen || !monitorPrivateLink
    publicQueries: isOpen || publicLogQueries
  }
}

module monitoringAccess 'modules/monitoring-access.bicep' = {
  name: 'monitoring-access'
  params: {
    componentName: monitoring.outputs.componentName
    publisherPrincipalIds: concat([
      appIdentity.outputs.principalId
    ], deployGateway ? [
      apiManagementIdentity!.outputs.principalId
    ] : [])
  }
}

module monitoringPrivateLink 'modules/monitoring-private-link.bicep' = if (!isOpen && monitorPrivateLink) {
  name: 'monitoring-private-link'
  params: {
    estate: estate
    componentId: monitoring.outputs.componentId
    privateQueries: !publicLogQueries
  }
}

// Storage: one account per purpose, so that no identity reaches what another keeps

module hostStorage 'modules/storage.bicep' = {
  name: 'storage-host'
  params: {
    estate: estate
    purpose: 'host'
    skuName: storageSku
    containerNames: [
      packageContainerName
    ]
    privateEndpointGroups: [
      'blob'
      'table'
    ]
    roleAssignments: [
      {
        principalId: appIdentity.outputs.principalId
        role: 'storageBlobDataOwner'
        container: ''
      }
      {
        principalId: appIdentity.outputs.principalId
        role: 'storageTableDataContributor'
        container: ''
      }
    ]
  }
}

// Exports may hold texts, and go sooner than what they were made of.
module exportStorage 'modules/storage.bicep' = {
  name: 'storage-export'
  params: {
    estate: estate
    purpose: 'export'
    skuName: storageSku
    containerNames: [
      exportContainerName
    ]
    // The app removes files after 7 days; what it leaves behind goes then.
    deleteAfterDays: 14
    softDeleteDays: 1
    roleAssignments: [
      {
        principalId: appIdentity.outputs.principalId
        role: 'storageBlobDataContributor'
        container: exportContainerName
      }
    ]
  }
}

module contentStorage 'modules/storage.bicep' = {
  name: 'storage-content'
  params: {
    estate: estate
    purpose: 'body'
    skuName: storageSku
    containerNames: [
      claimCheckContainerName
      captureContainerName
    ]
    deleteAfterDays: blobDays
    // Event Hubs' capture has no way in through the network.
    allowTrustedServices: captureRawEvents
    roleAssignments: concat([
      {
        principalId: appIdentity.outputs.principalId
        role: 'storageBlobDataReader'
        container: claimCheckContainerName
      }
    ], deployGateway ? [
      {
        principalId: apiManagementIdentity!.outputs.principalId
        role: 'storageBlobDataContributor'
        container: claimCheckContainerName
      }
    ] : [], makesHubs ? [
      {
        principalId: eventHubsIdentity!.outputs.principalId
        role: 'storageBlobDataContributor'
        container: captureContainerName
      }
    ] : [])
  }
}

module trainingStorage 'modules/storage.bicep' = if (deployGateway) {
  name: 'storage-training'
  params: {
    estate: estate
    purpose: 'train'
    skuName: storageSku
    containerNames: [
      trainingContainerName
    ]
    // Azure OpenAI fetches files from outside the network.
    allowTrustedServices: true
    roleAssignments: [
      {
        principalId: openAIIdentity!.outputs.principalId
        role: 'storageBlobDataReader'
        container: trainingContainerName
      }
    ]
  }
}

module auditStorage 'modules/storage.bicep' = {
  name: 'storage-audit'
  params: {
    estate: estate
    purpose: 'audit'
    // Ledgers take no account of the least redundancy.
    skuName: ledgerDigests && storageSku == 'Standard_LRS' ? 'Standard_ZRS' : storageSku
    // The names that SQL Server writes to.
    containerNames: ledgerDigests ? [
      'sqldbauditlogs'
      'sqldbledgerdigests'
    ] : [
      'sqldbauditlogs'
    ]
    immutableDays: auditLogsLocked ? 0 : auditDays
    keepVersions: true
    softDeleteDays: 90
    // SQL Server writes from outside the network.
    allowTrustedServices: true
    roleAssignments: [
      {
        principalId: sqlIdentity.outputs.principalId
        role: 'storageBlobDataContributor'
        container: ''
      }
    ]
  }
}

// A server writes past an account's firewall in its own region alone.
module secondaryAuditStorage 'modules/storage.bicep' = if (!empty(secondaryLocation)) {
  name: 'storage-audit-secondary'
  params: {
    estate: estate
    purpose: 'audit2'
    location: secondaryLocation
    skuName: 'Standard_LRS'
    containerNames: [
      'sqldbauditlogs'
    ]
    immutableDays: auditLogsLocked ? 0 : auditDays
    keepVersions: true
    softDeleteDays: 90
    allowTrustedServices: true
    roleAssignments: [
      {
        principalId: sqlIdentity.outputs.principalId
        role: 'storageBlobDataContributor'
        container: ''
      }
    ]
  }
}

// Hubs, ledger, content, certificate

module eventHubs 'modules/event-hubs.bicep' = if (makesHubs) {
  name: 'event-hubs'
  params: {
    estate: estate
    skuName: eventHubsSku
    capacity: eventHubsCapacity
    maximumThroughputUnits: eventHubsMaximum
    gatewayHubName: 'gateway'
    monitorHubName: 'monitor'
    consumerGroupName: 'promptledger'
    furtherConsumerGroupNames: furtherConsumerGroups
    partitionCount: partitionCount
    retentionHours: retentionHours
    allowKeys: allowEventHubsKeys
    captureEnabled: captureRawEvents
    captureStorageAccountId: contentStorage.outputs.id
    captureContainerName: captureContainerName
    identityId: eventHubsIdentity!.outputs.id
    receiverPrincipalId: appIdentity.outputs.principalId
    senderPrincipalId: deployGateway ? apiManagementIdentity!.outputs.principalId : ''
    senderPrefixes: senderPrefixes
  }
}

module ownHubs 'modules/existing-hubs.bicep' = if (!makesHubs) {
  name: 'existing-hubs'
  scope: resourceGroup(namespaceParts[2], namespaceParts[4])
  params: {
    namespaceName: last(namespaceParts)
    gatewayHubName: makesHubs ? '' : existingHubs.gatewayHubName
    monitorHubName: makesHubs ? '' : existingHubs.monitorHubName
    consumerGroupName: makesHubs ? '' : existingHubs.consumerGroupName
    receiverPrincipalId: appIdentity.outputs.principalId
  }
}

var hubs = makesHubs ? eventHubs!.outputs.hubs : ownHubs!.outputs.hubs

module sql 'modules/sql.bicep' = {
  name: 'sql'
  params: {
    estate: estate
    databaseName: 'promptledger'
    administratorsName: sqlAdministratorsName
    administratorsObjectId: sqlAdministratorsObjectId
    administratorsType: sqlAdministratorsType
    identityId: sqlIdentity.outputs.id
    skuName: sqlSku
    virtualCores: sqlCores
    minimumVirtualCores: sqlMinimumCores
    autoPauseMinutes: sqlAutoPauseMinutes
    maximumSizeGiB: sqlMaximumGiB
    zoneRedundant: zoneRedundant
    backupRedundancy: sqlBackupRedundancy
    restoreDays: sqlRestoreDays
    weeklyRetention: sqlWeeklyRetention
    auditBlobEndpoint: auditStorage.outputs.blobEndpoint
    threatDetection: sqlThreatDetection
    secondaryAuditBlobEndpoint: empty(secondaryLocation) ? '' : secondaryAuditStorage!.outputs.blobEndpoint
    appIdentityName: appIdentity.outputs.name
    ledgerDigests: ledgerDigests
    secondaryLocation: secondaryLocation
  }
}

module cosmos 'modules/cosmos.bicep' = if (contentStore == 'cosmos') {
  name: 'cosmos'
  params: {
    estate: estate
    databaseName: 'promptledger'
    containerName: 'content'
    serverless: cosmosServerless
    maximumThroughput: cosmosMaximumThroughput
    zoneRedundant: zoneRedundant
    secondaryLocation: secondaryLocation
    writerPrincipalId: appIdentity.outputs.principalId
  }
}

module keyVault 'modules/key-vault.bicep' = if (deployGateway) {
  name: 'key-vault'
  params: {
    estate: estate
    certificateReaderPrincipalId: applicationGatewayIdentity!.outputs.principalId
  }
}

// Models

var instances = deployGateway ? openAIInstances : []
var vendors = deployGateway ? vendorApis : []

module openAI 'modules/openai.bicep' = [for (instance, index) in instances: {
  name: 'openai-${instance.name}'
  params: {
    estate: estate
    hubs: hubs
    name: 'oai-${instance.name}-${suffix}'
    location: instance.location
    deployments: instance.deployments
    servesStatefulOperations: index == 0
    identityId: openAIIdentity!.outputs.id
    callerPrincipalId: apiManagementIdentity!.outputs.principalId
  }
}]

// The app

module appSettings 'modules/app-settings.bicep' = {
  name: 'app-settings'
  params: {
    identityClientId: appIdentity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    hubs: hubs
    sqlHostName: sql.outputs.hostName
    sqlDatabaseName: 'promptledger'
    contentStore: contentStore
    cosmosEndpoint: contentStore == 'cosmos' ? cosmos!.outputs.endpoint : ''
    cosmosDatabaseName: contentStore == 'cosmos' ? cosmos!.outputs.databaseName : ''
    cosmosContainerName: contentStore == 'cosmos' ? cosmos!.outputs.containerName : ''
    claimCheckEndpoint: contentStorage.outputs.blobEndpoint
    claimCheckContainerName: claimCheckContainerName
    exportEndpoint: exportStorage.outputs.blobEndpoint
    exportContainerName: exportContainerName
    contentDays: contentDays
    asideDays: asideDays
    auditClientId: auditClientId
    alertWebhooks: alertWebhooks
    alertWebhookKey: alertWebhookKey
    componentName: monitoring.outputs.componentName
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    estate: estate
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstances: maximumInstances
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyIngest: alwaysReadyIngest
    zoneRedundant: zoneRedundant
    identityId: appIdentity.outputs.id
    hostStorageName: hostStorage.outputs.name
    packageContainerName: packageContainerName
    appSettings: appSettings.outputs.values
    auditClientId: auditClientId
    publisherPrincipalId: publisherPrincipalId
    callerPrefixes: callerPrefixes
  }
  dependsOn: [
    monitoringAccess
  ]
}

// What nobody can do from a desk

module operatorMachine 'modules/operator-machine.bicep' = if (hasOperatorMachine) {
  name: 'operator-machine'
  params: {
    estate: estate
    size: operatorMachineSize
    publicKey: operatorMachineKey
    identityId: operatorIdentity!.outputs.id
    principalId: operatorIdentity!.outputs.principalId
    vaultName: deployGateway ? keyVault!.outputs.name : ''
    setsSecrets: operatorMachineSetsSecrets
    functionAppName: functionApp.outputs.name
  }
}

// API Management

module apiManagement 'modules/apim.bicep' = if (deployGateway) {
  name: 'api-management'
  params: {
    estate: estate
    skuName: apiManagementSku
    capacity: apiManagementCapacity
    zones: zones
    publisherName: publisherName
    publisherEmail: publisherEmail
    identityId: apiManagementIdentity!.outputs.id
    hasOwnIdentity: gatewayReadsKeys
    openOnCreation: apiManagementOpenOnCreation
    contentInWorkspace: contentInWorkspace
    hubs: hubs
  }
}

module apiManagementTelemetry 'modules/apim-telemetry.bicep' = if (deployGateway) {
  name: 'api-management-telemetry'
  params: {
    serviceName: apiManagement!.outputs.name
    loggerName: 'promptledger'
    hubs: hubs
    identityClientId: apiManagementIdentity!.outputs.clientId
    componentName: monitoring.outputs.componentName
  }
  dependsOn: [
    monitoringAccess
  ]
}

module apiManagementNamedValues 'modules/apim-named-values.bicep' = if (deployGateway) {
  name: 'api-management-named-values'
  params: {
    serviceName: apiManagement!.outputs.name
    loggerName: apiManagementTelemetry!.outputs.eventLoggerName
    claimCheckEndpoint: contentStorage.outputs.blobEndpoint
    claimCheckContainerName: claimCheckContainerName
    captureClaimChecks: captureClaimChecks
    captureCallsPerMinute: captureCallsPerMinute
    objectOwner: objectOwner
    unknownObjects: unknownObjects
    refuseQueryKeys: refuseQueryKeys
    budgetEnforcement: budgetEnforcement
    auditApiUrl: 'https://${functionApp.outputs.hostName}'
    openAIAudience: openAIAudience
    auditAudience: empty(auditClientId) ? 'none' : auditClientId
    identityClientId: apiManagementIdentity!.outputs.clientId
  }
}

module apiManagementBackends 'modules/apim-backends.bicep' = if (deployGateway) {
  name: 'api-management-backends'
  params: {
    serviceName: apiManagement!.outputs.name
    instances: [for (instance, index) in instances: {
      name: instance.name
      endpoint: openAI[index].outputs.endpoint
      priority: instance.priority
      weight: instance.weight
    }]
  }
}

module apiManagementOpenAIApi 'modules/apim-openai-api.bicep' = if (deployGateway) {
  name: 'api-management-openai-api'
  params: {
    serviceName: apiManagement!.outputs.name
    monitorLoggerId: apiManagementTelemetry!.outputs.monitorLoggerId
    operationsLeftOut: openAIOperationsLeftOut
  }
  dependsOn: [
    apiManagementBackends
    apiManagementNamedValues
  ]
}

module apiManagementVendorApis 'modules/apim-vendor-api.bicep' = [for one in vendors: {
  name: 'api-management-${one.vendor}'
  params: {
    serviceName: apiManagement!.outputs.name
    vendor: one.vendor
    url: one.url
    vaultEntry: one.vaultEntry
    vaultName: keyVault!.outputs.name
    readerPrincipalId: apiManagement!.outputs.ownPrincipalId
    monitorLoggerId: apiManagementTelemetry!.outputs.monitorLoggerId
    teams: teams
  }
  dependsOn: [
    apiManagementNamedValues
    apiManagementOpenAIApi
  ]
}]

module apiManagementAuditApi 'modules/apim-audit-api.bicep' = if (deployGateway) {
  name: 'api-management-audit-api'
  params: {
    serviceName: apiManagement!.outputs.name
    functionHostName: functionApp.outputs.hostName
  }
  dependsOn: [
    apiManagementNamedValues
  ]
}

module apiManagementTeams 'modules/apim-teams.bicep' = if (deployGateway) {
  name: 'api-management-teams'
  params: {
    serviceName: apiManagement!.outputs.name
    apiName: apiManagementOpenAIApi!.outputs.apiName
    teams: teams
  }
}

// The way in

module applicationGateway 'modules/application-gateway.bicep' = if (hasWayIn) {
  name: 'application-gateway'
  params: {
    estate: estate
    privateAddress: applicationGatewayPrivateAddress
    zones: zones
    minimumInstances: applicationGatewayMinimum
    maximumInstances: applicationGatewayMaximum
    identityId: applicationGatewayIdentity!.outputs.id
    certificateId: certificateId
    backendHostName: apiManagement!.outputs.hostName
    requestTimeoutSeconds: requestTimeoutSeconds
    firewallMode: firewallMode
    maximumBodyKB: 2000
    maximumFileMB: 512
    callsPerMinute: callsPerMinutePerAddress
  }
  dependsOn: [
    keyVault
  ]
}

// What people look at

// Each tier of API Management has its own measure of load; v2 tiers count no events that they send.
var rulesOfOtherTier = isApiManagementV2 ? [
  'gateway-capacity'
  'gateway-dropped-events'
  'gateway-failed-events'
] : [
  'gateway-cpu'
]
// What asks logs of a part that is not there.
var rulesWithoutGateway = deployGateway ? rulesOfOtherTier : [
  'backend-429'
  'gateway-429'
  'gateway-5xx'
  'gateway-hub-silent'
  'monitor-hub-silent'
  'silence'
]
var rulesWithoutCosmos = contentStore == 'cosmos' ? [] : [
  'cosmos-429'
]

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    estate: estate
    prefix: 'promptledger-${environmentName}'
    mailAddresses: alertMailAddresses
    targets: {
      apiManagement: deployGateway ? apiManagement!.outputs.id : ''
      cosmos: contentStore == 'cosmos' ? cosmos!.outputs.id : ''
      eventHubs: hubs.namespaceId
      sql: sql.outputs.databaseId
    }
    disabledRules: concat(rulesWithoutGateway, rulesWithoutCosmos)
  }
}

module insightsContent 'modules/insights-content.bicep' = {
  name: 'insights-content'
  params: {
    estate: estate
    savesQueries: empty(existingWorkspaceId)
  }
}

module dataExplorer 'modules/data-explorer.bicep' = if (deployDataExplorer) {
  name: 'data-explorer'
  params: {
    estate: estate
    hubs: hubs
    principalId: analystsGroupId
    principalType: 'Group'
    zoneIds: empty(existingPrivateDnsZonesId) ? [] : [
      '${existingPrivateDnsZonesId}/providers/Microsoft.Network/privateDnsZones/privatelink.${location}.kusto.windows.net'
    ]
  }
}

// For azd, the pipeline and docs/deploy.md

@description('Name of the function app that the package goes to.')
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name

@description('Name of the app\'s identity: infra/scripts/grant-database.sql makes it a user of the ledger.')
output APP_IDENTITY_NAME string = appIdentity.outputs.name

@description('Client id of the app\'s identity: the ledger knows the identity by it.')
output APP_IDENTITY_CLIENT_ID string = appIdentity.outputs.clientId

@description('Host name of the app, which answers the audit API.')
output APP_HOST_NAME string = functionApp.outputs.hostName

@description('Isolation of the estate.')
output ISOLATION string = isolation

@description('Event Hubs namespace: its resource id.')
output EVENT_HUBS_ID string = hubs.namespaceId

@description('Host name of the Event Hubs namespace.')
output EVENT_HUBS_HOST_NAME string = hubs.hostName

@description('Hub of the API Management policy\'s events.')
output EVENT_HUBS_GATEWAY_HUB string = hubs.gatewayHubName

@description('Whether the hubs were made here, as text.')
output EVENT_HUBS_MADE string = string(makesHubs)

@description('Options of Azure SQL that migrations turn on: the setting of that name.')
output PROMPTLEDGER_SQL_OPTIONS string = ledgerDigests ? 'ledger' : ''

@description('Host name of the ledger\'s server.')
output SQL_HOST_NAME string = sql.outputs.hostName

@description('Host name of API Management\'s gateway; empty where there is none.')
output GATEWAY_HOST_NAME string = deployGateway ? apiManagement!.outputs.hostName : ''

@description('Name of the vault that takes the TLS certificate; empty where there is no gateway.')
output KEY_VAULT_NAME string = deployGateway ? keyVault!.outputs.name : ''

@description('Address that the organisation\'s DNS record points to; empty before there is a certificate.')
output APPLICATION_GATEWAY_ADDRESS string = hasWayIn ? applicationGateway!.outputs.ipAddress : ''

@description('Name of the operator machine; empty where there is none.')
output OPERATOR_MACHINE_NAME string = hasOperatorMachine ? operatorMachine!.outputs.name : ''

@description('Client id of the operator machine\'s identity; empty where there is none.')
output OPERATOR_CLIENT_ID string = hasOperatorMachine ? operatorIdentity!.outputs.clientId : ''

@description('Object id of the operator machine\'s identity, to make it a member of the database\'s administrators; empty where there is none.')
output OPERATOR_PRINCIPAL_ID string = hasOperatorMachine ? operatorIdentity!.outputs.principalId : ''
