// One Azure OpenAI instance with its model deployments, reachable by API Management only.

@description('Name of the instance, also the first part of its host name.')
param name string

@description('Region of the instance.')
param location string

@description('Tags of the instance.')
param tags object

@description('Model deployments: objects with `name`, `model`, `version`, `sku` (such as Standard, GlobalStandard or ProvisionedManaged) and `capacity` (thousands of tokens a minute, or provisioned units).')
param deployments array

@description('Serves the stateful operations too: files, assistants, fine-tuning, batches.')
param servesStatefulOperations bool

@description('Identity with which the instance reads training files.')
param identityId string

@description('Object id of API Management\'s identity.')
param callerPrincipalId string

@description('Rule of the Event Hubs namespace that logs are streamed to; empty where the namespace is in another region, to which the platform does not stream.')
param monitorRuleId string

@description('Hub that logs are streamed to.')
param monitorHubName string

@description('Subnet of the private endpoint.')
param subnetId string

@description('Region of the virtual network.')
param networkLocation string

@description('Private DNS zone of Azure OpenAI.')
param zoneId string

@description('Log Analytics workspace for the instance\'s logs.')
param logAnalyticsWorkspaceId string

var roles = loadJsonContent('../roles.json')
var role = servesStatefulOperations ? 'cognitiveServicesOpenAIContributor' : 'cognitiveServicesOpenAIUser'

resource instance 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
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
    // A model changes when the organisation says so: prices and answers change with it.
    versionUpgradeOption: 'NoAutoUpgrade'
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
    name: 'pe-${name}'
    location: networkLocation
    tags: tags
    subnetId: subnetId
    serviceId: instance.id
    groupId: 'account'
    zoneIds: [
      zoneId
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

// What the app reads: calls that went past the gateway show here and nowhere else.
resource instanceStream 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(monitorRuleId)) {
  name: 'event-hubs'
  scope: instance
  properties: {
    eventHubAuthorizationRuleId: monitorRuleId
    eventHubName: monitorHubName
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
