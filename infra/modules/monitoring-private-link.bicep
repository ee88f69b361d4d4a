// Carries logs and telemetry inside the network. One scope per DNS: a network whose names a hub resolves may have one already.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Resource id of the Application Insights component.')
param componentId string

@description('Refuse queries that do not come through the network.')
param privateQueries bool

var name = 'ampls-promptledger-${estate.suffix}'

resource linkScope 'Microsoft.Insights/privateLinkScopes@2021-07-01-preview' = {
  name: name
  location: 'global'
  tags: estate.tags
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
    linkedResourceId: estate.workspaceId
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
    estate: estate
    name: 'pe-${name}'
    serviceId: linkScope.id
    groupId: 'azuremonitor'
    zoneIds: [
      estate.zoneIds.monitor
      estate.zoneIds.monitorManagement
      estate.zoneIds.monitorIngestion
      estate.zoneIds.monitorAgents
      estate.zoneIds.blob
    ]
  }
  dependsOn: [
    linkedWorkspace
    linkedComponent
  ]
}
