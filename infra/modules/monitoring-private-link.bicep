// Carries logs and telemetry inside the network. One scope per DNS: a network whose names a hub resolves may have one already.

@description('Name of the private link scope.')
param name string

@description('Region of the private endpoint.')
param location string

@description('Tags of scope and endpoint.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the Application Insights component.')
param componentId string

@description('Refuse queries that do not come through the network.')
param privateQueries bool

@description('Subnet of the private endpoint.')
param subnetId string

@description('Private DNS zones of Azure Monitor and of the blobs that agents fetch.')
param zoneIds array

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'PrivateOnly'
      queryAccessMode: privateQueries ? 'PrivateOnly' : 'Open'
    }
  }
}

resource linkedWorkspace 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: linkScope
  name: 'workspace'
  properties: {
    linkedResourceId: workspaceId
  }
}

resource linkedComponent 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-07-01-preview' = {
  parent: linkScope
  name: 'component'
  properties: {
    linkedResourceId: componentId
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    tags: tags
    subnetId: subnetId
    serviceId: linkScope.id
    groupId: 'azuremonitor'
    zoneIds: zoneIds
  }
  dependsOn: [
    linkedWorkspace
    linkedComponent
  ]
}
