// The Azure OpenAI API: its operations, its policy with the fragments, and what Azure Monitor keeps of its calls.

@description('Name of the API Management service.')
param serviceName string

@description('Resource id of the logger of Azure Monitor.')
param monitorLoggerId string

@description('Largest message in bytes that Azure Monitor\'s model log keeps.')
param maximumLoggedBytes int = 262144

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource captureRequest 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-request'
  properties: {
    description: 'Emits the request part of an interaction.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/capture-request.xml')
  }
}

resource captureResponse 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-response'
  properties: {
    description: 'Emits the response part of an interaction.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/capture-response.xml')
  }
}

resource captureError 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-error'
  properties: {
    description: 'Emits the error part of an interaction that API Management itself refused.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/capture-error.xml')
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: 'azure-openai'
  properties: {
    displayName: 'Azure OpenAI'
    description: 'Azure OpenAI as its clients know it, with every call on record.'
    apiType: 'http'
    type: 'http'
    format: 'openapi+json'
    value: loadTextContent('../apim/azure-openai.openapi.json')
    path: 'openai'
    protocols: [
      'https'
    ]
    subscriptionRequired: true
    // The names that clients of Azure OpenAI send their key by, so that none of them changes.
    subscriptionKeyParameterNames: {
      header: 'api-key'
      query: 'subscription-key'
    }
  }
}

resource apiPolicy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/api.xml')
  }
  dependsOn: [
    captureRequest
    captureResponse
    captureError
  ]
}

// Messages of models in Azure Monitor's model log are part of the preview alone; all else here is stable.
resource modelLog 'Microsoft.ApiManagement/service/apis/diagnostics@2024-06-01-preview' = {
  parent: api
  name: 'azuremonitor'
  properties: {
    loggerId: monitorLoggerId
    alwaysLog: 'allErrors'
    logClientIp: true
    verbosity: 'information'
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
    largeLanguageModel: {
      logs: 'enabled'
      requests: {
        messages: 'all'
        maxSizeInBytes: maximumLoggedBytes
      }
      responses: {
        messages: 'all'
        maxSizeInBytes: maximumLoggedBytes
      }
    }
  }
}

@description('Name of the API.')
output apiName string = api.name
