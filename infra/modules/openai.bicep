// One Azure OpenAI instance with its model deployments, reachable by API Management only.

import { Estate, Hubs } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('The two hubs that the app reads.')
param hubs Hubs

@description('Name of the instance, also the first part of its host name.')
param name string

@description('Region of the instance.')
param location string

@description('Model deployments: objects with `name`, `model`, `version`, `sku` (such as Standard, GlobalStandard or ProvisionedManaged) and `capacity` (thousands of tokens a minute, or provisioned units).')
param deployments array

@description('Serves the stateful operations too: files, assistants, fine-tuning, batches.')
param servesStatefulOperations bool

@description('Identity with which the instance reads training files.')
param identityId string

@description('Object id of API Management\'s identity.')
param callerPrincipalId string

var roles = loadJsonContent('../roles.json')
var role = servesStatefulOperations ? 'cognitiveServicesOpenAIContributor' : 'cognitiveServicesOpenAIUser'

resource instance 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: estate.tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: 'Deny'
    }
  }
}

// The service takes one deployment at a time.
@batchSize(1)
resource models 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [for model in deployments: {
  parent: instance
  name: model.name
  sku: {
    name: model.sku
    capacity: model.capacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: model.model
      version: model.version
    }
    // A model changes when the organisation says so, as prices and answers change with it; but one that is gone answers nothing.
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}]

resource callsModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(instance.id, callerPrincipalId, role)
  scope: instance
  properties: {
    principalId: callerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role].id)
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    estate: estate
    name: 'pe-${name}'
    serviceId: instance.id
    groupId: 'account'
    zoneIds: [
      estate.zoneIds.openAI
    ]
  }
  // The service refuses an endpoint while a deployment is under way.
  dependsOn: [
    models
  ]
}

resource instanceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: instance
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

// What the app reads: calls that went past the gateway show here and nowhere else. The platform streams to a namespace of the
// same region only; logs of instances elsewhere are in Log Analytics.
resource instanceStream 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (location == estate.location) {
  name: 'event-hubs'
  scope: instance
  properties: {
    eventHubAuthorizationRuleId: hubs.monitorRuleId
    eventHubName: hubs.monitorHubName
    logs: [
      {
        category: 'Audit'
        enabled: true
      }
      {
        category: 'AzureOpenAIRequestUsage'
        enabled: true
      }
      {
        category: 'RequestResponse'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the instance.')
output id string = instance.id

@description('Address of the instance, with a slash at its end.')
output endpoint string = instance.properties.endpoint
