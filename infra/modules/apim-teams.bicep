// A product and a subscription per team: the unit that usage is counted by, limited by and billed to.

@description('Name of the API Management service.')
param serviceName string

@description('Name of the Azure OpenAI API.')
param apiName string

@description('Teams: objects with `name`, `displayName`, `tokensPerMinute` and `groupId` (Entra group whose members may call; empty for anybody with the subscription).')
param teams array

var policy = loadTextContent('../policies/product.xml')
var groupPolicy = loadTextContent('../policies/product-group.xml')

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource products 'Microsoft.ApiManagement/service/products@2024-05-01' = [for team in teams: {
  parent: service
  name: team.name
  properties: {
    displayName: team.displayName
    description: 'Azure OpenAI for ${team.displayName}.'
    approvalRequired: true
    state: 'published'
    subscriptionRequired: true
    subscriptionsLimit: 10
  }
}]

resource productApis 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = [for (team, index) in teams: {
  parent: products[index]
  name: apiName
}]

resource productPolicies 'Microsoft.ApiManagement/service/products/policies@2024-05-01' = [for (team, index) in teams: {
  parent: products[index]
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: replace(replace(empty(team.groupId) ? policy : groupPolicy, '__TOKENS_PER_MINUTE__', string(team.tokensPerMinute)), '__GROUP_ID__', team.groupId)
  }
}]

resource subscriptions 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = [for (team, index) in teams: {
  parent: service
  name: team.name
  properties: {
    displayName: team.displayName
    scope: products[index].id
    state: 'active'
    allowTracing: false
  }
}]
