// Data Explorer: the hubs' events as tables for analysts, beside the ledger.

@description('Name of the cluster.')
param name string

@description('Region of the cluster.')
param location string

@description('Tags of the cluster.')
param tags object

@description('Event Hubs namespace that the cluster reads.')
param eventHubsNamespaceId string

@description('Subnet of the private endpoint.')
param subnetId string

@description('Object id of the identity that asks the cluster.')
param principalId string

@description('Log Analytics workspace for the cluster\'s logs.')
param logAnalyticsWorkspaceId string

resource cluster 'Microsoft.Kusto/clusters@2024-04-13' = {
  name: name
  location: location
  tags: union(tags, {
    eventHubs: last(split(eventHubsNamespaceId, '/'))
  })
  sku: {
    name: 'Dev(No SLA)_Standard_E2a_v4'
    tier: 'Basic'
    capacity: 1
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    enableAutoStop: true
    enableDiskEncryption: true
    enableDoubleEncryption: true
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.Kusto/clusters/databases@2024-04-13' = {
  parent: cluster
  name: 'promptledger'
  location: location
  kind: 'ReadWrite'
  properties: {
    softDeletePeriod: 'P365D'
    hotCachePeriod: 'P31D'
  }
}

resource reader 'Microsoft.Kusto/clusters/databases/principalAssignments@2024-04-13' = {
  parent: database
  name: guid(database.id, principalId)
  properties: {
    principalId: principalId
    principalType: 'App'
    role: 'Viewer'
    tenantId: tenant().tenantId
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    tags: tags
    subnetId: subnetId
    serviceId: cluster.id
    groupId: 'cluster'
    zoneIds: []
  }
}

resource clusterLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: cluster
  properties: {
    workspaceId: logAnalyticsWorkspaceId
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
