// The Azure OpenAI API: its operations, its policy with the fragments, and what Azure Monitor keeps of its calls.

@description('Name of the API Management service.')
param serviceName string

@description('Resource id of the logger of Azure Monitor.')
param monitorLoggerId string

@description('Operations that callers do without: tags of the document, named as in the record. Some services refuse an API of more than 100.')
@allowed([
  'assistants'
  'audio.speech'
  'audio.transcriptions'
  'audio.translations'
  'batches'
  'chat.completions'
  'completions'
  'containers'
  'conversations'
  'deployments'
  'embeddings'
  'evals'
  'files'
  'fine_tuning.jobs'
  'images.edits'
  'images.generations'
  'models'
  'realtime'
  'responses'
  'threads'
  'threads.messages'
  'threads.runs'
  'threads.runs.steps'
  'uploads'
  'vector_stores'
])
param operationsLeftOut array

@description('Largest message in bytes that Azure Monitor\'s model log keeps.')
param maximumLoggedBytes int = 262144

var document = loadJsonContent('../apim/azure-openai.openapi.json')

// All methods of a path have one tag. An operation that is not here is refused by the gateway: never passed on unrecorded.
var paths = [for path in items(document.paths): contains(operationsLeftOut, (path.value.?post ?? path.value.?get ?? path.value.?delete).tags[0]) ? {} : {
  '${path.key}': path.value
}]

var masked = loadJsonContent('../masked.json')

var maskedQueryParameters = [for name in masked.queryParameters: {
  value: name
  mode: 'Hide'
}]

var maskedHeaders = [for name in masked.headers: {
  value: name
  mode: 'Hide'
}]

// No header and no body; of the query, all but what opens doors.
var maskedRequest = {
  headers: []
  body: {
    bytes: 0
  }
  dataMasking: {
    headers: maskedHeaders
    queryParams: maskedQueryParameters
  }
}

var maskedResponse = {
  headers: []
  body: {
    bytes: 0
  }
  dataMasking: {
    headers: maskedHeaders
  }
}

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

resource ownershipRequest 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'ownership-request'
  properties: {
    description: 'Refuses calls that name an object of another owner.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/ownership-request.xml')
  }
}

resource ownershipResponse 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'ownership-response'
  properties: {
    description: 'Keeps who owns what a call made.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/ownership-response.xml')
  }
}

resource budgetRequest 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'budget-request'
  properties: {
    description: 'Refuses or marks calls whose budget is used up.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/budget-request.xml')
  }
}

resource queryKeys 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: service
  name: 'query-keys'
  properties: {
    description: 'Refuses calls that bring a key in the URL.'
    format: 'xml'
    value: loadTextContent('../policies/fragments/query-keys.xml')
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
    value: string(shallowMerge([
      document
      {
        paths: shallowMerge(paths)
      }
    ]))
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
    ownershipRequest
    ownershipResponse
    queryKeys
    budgetRequest
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
    frontend: {
      request: maskedRequest
      response: maskedResponse
    }
    backend: {
      request: maskedRequest
      response: maskedResponse
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
