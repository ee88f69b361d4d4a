// Data Explorer, optional: the events of both hubs as tables for analysts, straight from the hubs and beside the
// ledger. Tables, mappings, update policies and questions are those of sql/kql; docs/queries.md explains them.

import { Estate, Hubs } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('The two hubs that the app reads.')
param hubs Hubs

@description('Object id of the principal that may ask for everything but content; empty for none.')
param principalId string

@description('Kind of that principal.')
@allowed([
  'App'
  'Group'
  'User'
])
param principalType string = 'App'

@description('Object ids of Entra groups that may read content, prompts among it, as well.')
param contentReaderGroupIds array = []

@description('Consumer group on both hubs that nobody else reads with.')
param consumerGroupName string = 'data-explorer'

@description('Size of each node. One that begins with `Dev(No SLA)` has one node and no service level.')
param skuName string = 'Standard_E2ads_v5'

@description('Nodes; ignored for a development size.')
@minValue(2)
@maxValue(100)
param capacity int = 2

@description('Availability zones of the nodes, such as [\'1\', \'2\', \'3\']; they cannot be changed later.')
param zones array = []

@description('Days for which facts are kept. Content has a policy of its own, 90 days: sql/kql/1-tables.kql.')
@minValue(1)
@maxValue(3650)
param retentionDays int = 365

@description('Days for which facts are kept in the nodes\' cache, where questions are answered fast.')
@minValue(1)
@maxValue(3650)
param cacheDays int = 31

@description('Private DNS zones for the endpoint\'s record. With none, a zone is made here and linked to the subnet\'s network.')
param zoneIds array = []

var name = 'adxpl${estate.token}'
var databaseName = 'promptledger'
var isDevelopment = startsWith(skuName, 'Dev(No SLA)')
var hubNames = [
  hubs.gatewayHubName
  hubs.monitorHubName
]
// By the hub's part in the estate, whatever its name: the mappings of sql/kql/1-tables.kql.
var mappingNames = [
  'gateway'
  'monitor'
]
// Azure Event Hubs Data Receiver: the cluster reads the two hubs and sends nothing.
var receiverRoleId = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde')
// In the order in which they need each other. Each may be run again at any time.
var script = join([
  loadTextContent('../../sql/kql/1-tables.kql')
  loadTextContent('../../sql/kql/2-reading.kql')
  loadTextContent('../../sql/kql/3-update-policies.kql')
  loadTextContent('../../sql/kql/4-interaction.kql')
  loadTextContent('../../sql/kql/queries/bypasses.kql')
  loadTextContent('../../sql/kql/queries/completeness.kql')
  loadTextContent('../../sql/kql/queries/deliveries.kql')
  loadTextContent('../../sql/kql/queries/errors.kql')
  loadTextContent('../../sql/kql/queries/prompts.kql')
  loadTextContent('../../sql/kql/queries/usage_by_caller_and_model.kql')
  loadTextContent('../../sql/kql/queries/usage_by_hour.kql')
], '\n\n')

resource cluster 'Microsoft.Kusto/clusters@2024-04-13' = {
  name: name
  location: estate.location
  tags: estate.tags
  sku: {
    name: skuName
    tier: isDevelopment ? 'Basic' : 'Standard'
    capacity: isDevelopment ? 1 : capacity
  }
  identity: {
    type: 'SystemAssigned'
  }
  zones: zones
  properties: {
    // A cluster that stops reads no hub, and retention goes on.
    enableAutoStop: false
    enableDiskEncryption: true
    enableDoubleEncryption: true
    // Erasure of a person's data needs it.
    enablePurge: true
    enableStreamingIngest: false
    engineType: 'V3'
    publicNetworkAccess: 'Disabled'
    trustedExternalTenants: []
  }
}

resource database 'Microsoft.Kusto/clusters/databases@2024-04-13' = {
  parent: cluster
  name: databaseName
  location: estate.location
  kind: 'ReadWrite'
  properties: {
    softDeletePeriod: 'P${retentionDays}D'
    hotCachePeriod: 'P${cacheDays}D'
  }
}

resource tables 'Microsoft.Kusto/clusters/databases/scripts@2024-04-13' = {
  parent: database
  name: 'promptledger'
  properties: {
    continueOnErrors: false
    // The script runs again when its text changes, and only then.
    forceUpdateTag: uniqueString(script)
    principalPermissionsAction: 'RemovePermissionOnScriptCompletion'
    scriptLevel: 'Database'
    #disable-next-line use-secure-value-for-secure-inputs // it holds no secret, and stands in the repository
    scriptContent: script
  }
}

// Who may ask

resource viewer 'Microsoft.Kusto/clusters/databases/principalAssignments@2024-04-13' = if (!empty(principalId)) {
  parent: database
  name: guid(database.id, principalId, 'Viewer')
  properties: {
    principalId: principalId
    principalType: principalType
    role: 'Viewer'
    tenantId: tenant().tenantId
  }
}

resource contentViewers 'Microsoft.Kusto/clusters/databases/principalAssignments@2024-04-13' = [for groupId in contentReaderGroupIds: {
  parent: database
  name: guid(database.id, groupId, 'Viewer')
  properties: {
    principalId: groupId
    principalType: 'Group'
    role: 'Viewer'
    tenantId: tenant().tenantId
  }
}]

resource contentReaders 'Microsoft.Kusto/clusters/databases/principalAssignments@2024-04-13' = [for groupId in contentReaderGroupIds: {
  parent: database
  name: guid(database.id, groupId, 'UnrestrictedViewer')
  properties: {
    principalId: groupId
    principalType: 'Group'
    role: 'UnrestrictedViewer'
    tenantId: tenant().tenantId
  }
}]

// The hubs

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: last(split(hubs.namespaceId, '/'))
}

resource readHubs 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = [for hubName in hubNames: {
  parent: namespace
  name: hubName
}]

resource consumerGroups 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for (hubName, index) in hubNames: {
  parent: readHubs[index]
  name: consumerGroupName
}]

resource receivers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (hubName, index) in hubNames: {
  scope: readHubs[index]
  name: guid(readHubs[index].id, cluster.id, receiverRoleId)
  properties: {
    roleDefinitionId: receiverRoleId
    principalId: cluster.identity.principalId
    principalType: 'ServicePrincipal'
  }
}]

// As itself, and past the hubs' firewall as a trusted service: nobody has to approve a way.
resource connections 'Microsoft.Kusto/clusters/databases/dataConnections@2024-04-13' = [for (hubName, index) in hubNames: {
  parent: database
  name: hubName
  location: estate.location
  kind: 'EventHub'
  properties: {
    eventHubResourceId: readHubs[index].id
    consumerGroup: consumerGroups[index].name
    managedIdentityResourceId: cluster.id
    tableName: 'RawEvent'
    mappingRuleName: mappingNames[index]
    dataFormat: 'MULTIJSON'
    compression: 'None'
    databaseRouting: 'Single'
    eventSystemProperties: [
      'x-opt-enqueued-time'
      'x-opt-partition-key'
      'x-opt-sequence-number'
    ]
  }
  dependsOn: [
    receivers
    tables
  ]
}]

// The way to the cluster

var networkId = split(estate.subnetIds.privateEndpoints, '/subnets/')[0]

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'pe-${name}'
  location: estate.location
  tags: estate.tags
  properties: {
    customNetworkInterfaceName: 'pe-${name}-nic'
    subnet: {
      id: estate.subnetIds.privateEndpoints
    }
    privateLinkServiceConnections: [
      {
        name: 'cluster'
        properties: {
          privateLinkServiceId: cluster.id
          groupIds: [
            'cluster'
          ]
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (empty(zoneIds)) {
  name: 'privatelink.${estate.location}.kusto.windows.net'
  location: 'global'
  tags: estate.tags
}

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = if (empty(zoneIds)) {
  parent: zone
  name: 'link-${uniqueString(networkId)}'
  location: 'global'
  tags: estate.tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for (zoneId, index) in (empty(zoneIds) ? [zone.id] : zoneIds): {
      name: 'zone-${index}'
      properties: {
        privateDnsZoneId: zoneId
      }
    }]
  }
}

resource clusterLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: cluster
  properties: {
    workspaceId: estate.workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Address at which the cluster answers KQL.')
output uri string = cluster.properties.uri

@description('Name of the database.')
output databaseName string = database.name

@description('Object id of the cluster\'s identity, which reads the hubs.')
output identityPrincipalId string = cluster.identity.principalId
