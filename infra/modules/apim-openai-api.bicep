// The Azure OpenAI API: its operations, the named values and fragments of its policy, and what Azure Monitor keeps of its calls.

@description('Name of the API Management service.')
param serviceName string

@description('Name of the logger of our own events, as the policies name it.')
param loggerName string

@description('Resource id of the logger of Azure Monitor.')
param monitorLoggerId string

@description('Address of the storage account of claim checks.')
param claimCheckEndpoint string

@description('Container of claim checks.')
param claimCheckContainerName string

@description('Write bodies that are too big for an event to Blob storage; otherwise they travel in parts.')
param captureClaimChecks bool

@description('Audience that clients\' tokens must name.')
param openAIAudience string

@description('Largest message in bytes that Azure Monitor\'s model log keeps.')
param maximumLoggedBytes int = 262144

var namedValues = [
  {
    name: 'promptledger-logger'
    value: loggerName
  }
  {
    name: 'content-account'
    value: claimCheckEndpoint
  }
  {
    name: 'content-container'
    value: claimCheckContainerName
  }
  {
    name: 'openai-audience'
    value: openAIAudience
  }
  {
    name: 'tenant-id'
    value: tenant().tenantId
  }
  {
    name: 'capture-claim-check'
    value: captureClaimChecks ? 'true' : 'false'
  }
]

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource values 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [for namedValue in namedValues: {
  parent: service
  name: namedValue.name
  properties: {
    displayName: namedValue.name
    secret: false
    value: namedValue.value
  }
}]

resource captureRequest 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-request'
  properties: {
    description: 'Emits the request part of an interaction.'
    format: 'rawxml'
    value: loadTextContent('../policies/fragments/capture-request.xml')
  }
  dependsOn: [
    values
  ]
}

resource captureResponse 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-response'
  properties: {
    description: 'Emits the response part of an interaction.'
    format: 'rawxml'
    value: loadTextContent('../policies/fragments/capture-response.xml')
  }
  dependsOn: [
    values
  ]
}

resource captureError 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'capture-error'
  properties: {
    description: 'Emits the error part of an interaction that API Management itself refused.'
    format: 'rawxml'
    value: loadTextContent('../policies/fragments/capture-error.xml')
  }
  dependsOn: [
    values
  ]
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
    format: 'rawxml'
    value: loadTextContent('../policies/api.xml')
  }
  dependsOn: [
    values
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
