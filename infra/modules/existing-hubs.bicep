// Hubs of a namespace that was there before: the app may read them. They, their group and their networks stay as they are.

import { Hubs } from 'types.bicep'

@description('Name of the namespace, in the resource group that this module is deployed to.')
param namespaceName string

@description('Hub of the API Management policy\'s events.')
param gatewayHubName string

@description('Hub of the diagnostic settings\' logs.')
param monitorHubName string

@description('Consumer group on both that nobody else reads with.')
param consumerGroupName string

@description('Object id of the app\'s identity, which receives.')
param receiverPrincipalId string

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource gatewayHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  parent: namespace
  name: gatewayHubName
}

resource monitorHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' existing = {
  parent: namespace
  name: monitorHubName
}

resource receivesFromGatewayHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(gatewayHub.id, receiverPrincipalId, 'eventHubsDataReceiver')
  scope: gatewayHub
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver.id)
  }
}

resource receivesFromMonitorHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(monitorHub.id, receiverPrincipalId, 'eventHubsDataReceiver')
  scope: monitorHub
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver.id)
  }
}

@description('The two hubs.')
output hubs Hubs = {
  namespaceId: namespace.id
  hostName: replace(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
  gatewayHubName: gatewayHubName
  monitorHubName: monitorHubName
  consumerGroupName: consumerGroupName
  monitorRuleId: ''
}
