// The audit API behind the same gateway: auditors call one host, and the app hears nobody but the gateway.

@description('Name of the API Management service.')
param serviceName string

@description('Host name of the function app.')
param functionHostName string

var methods = [
  'DELETE'
  'GET'
  'POST'
  'PUT'
]

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'promptledger-audit'
  properties: {
    displayName: 'PromptLedger audit'
    description: 'Who asked which model what, what came back and what it used.'
    apiType: 'http'
    type: 'http'
    path: 'promptledger'
    protocols: [
      'https'
    ]
    serviceUrl: 'https://${functionHostName}/api'
    // A token of the organisation, with its roles, is all that an auditor needs: no key to hand out and lose.
    subscriptionRequired: false
  }
}

// The app's own OpenAPI document says what there is; here, each method leads to it.
resource operations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [for method in methods: {
  parent: api
  name: toLower(method)
  properties: {
    displayName: method
    method: method
    urlTemplate: '/*'
  }
}]

resource apiPolicy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/audit-api.xml')
  }
}
