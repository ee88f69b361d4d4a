// Another vendor's API, with every call on record as those of Azure OpenAI are: one operation for all paths, a backend, and a
// product with a subscription for each team.

@description('Name of the API Management service.')
param serviceName string

@description('Which API: anthropic and model-inference are on Azure AI Foundry, gemini and bedrock at the vendors\' own.')
@allowed([
  'anthropic'
  'bedrock'
  'gemini'
  'model-inference'
])
param vendor string

@description('Address that the API\'s paths follow at the vendor.')
param url string

@description('Secret in Key Vault with the key of gemini or bedrock; those on Foundry take the gateway\'s identity.')
param vaultEntry string

@description('Name of the vault that holds the key.')
param vaultName string

@description('Object id of the identity that reads the key: the service\'s own, the only one that passes a vault\'s firewall.')
param readerPrincipalId string

@description('Resource id of the logger of Azure Monitor.')
param monitorLoggerId string

@description('Largest message in bytes that Azure Monitor\'s model log keeps.')
param maximumLoggedBytes int = 262144

@description('Teams: objects with `name`, `displayName` and `groupId` (Entra group whose members may call; empty for anybody with the subscription).')
param teams array

// `header` and `query` are the names that the vendor's own clients send their key by: here, the team's.
var apis = {
  anthropic: {
    displayName: 'Anthropic Messages'
    path: 'anthropic'
    header: 'x-api-key'
    query: 'subscription-key'
  }
  bedrock: {
    displayName: 'Amazon Bedrock'
    path: 'bedrock'
    header: 'api-key'
    query: 'subscription-key'
  }
  gemini: {
    displayName: 'Gemini'
    path: 'gemini'
    header: 'x-goog-api-key'
    query: 'key'
  }
  'model-inference': {
    displayName: 'Azure AI model inference'
    path: 'models'
    header: 'api-key'
    query: 'subscription-key'
  }
}
var chosen = apis[vendor]
var hasKey = contains([
  'bedrock'
  'gemini'
], vendor)
var credentials = vendor == 'gemini' ? {
  header: {
    'x-goog-api-key': [
      '{{gemini-key}}'
    ]
  }
} : {
  authorization: {
    scheme: 'Bearer'
    parameter: '{{bedrock-key}}'
  }
}
var methods = [
  'DELETE'
  'GET'
  'PATCH'
  'POST'
  'PUT'
]
var groupPolicy = loadTextContent('../policies/vendor-group.xml')
var noPolicy = '<policies><inbound><base /></inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>'
var roles = loadJsonContent('../roles.json')
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

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource key 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = {
  parent: vault
  name: hasKey ? vaultEntry : 'none'
}

resource readsKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasKey) {
  name: guid(key.id, readerPrincipalId, 'keyVaultSecretsUser')
  scope: key
  properties: {
    principalId: readerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser.id)
  }
}

// No client id: of the identities of a service, only its own passes a vault's firewall.
resource keyValue 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = if (hasKey) {
  parent: service
  name: '${vendor}-key'
  properties: {
    displayName: '${vendor}-key'
    secret: true
    keyVault: {
      secretIdentifier: '${vault.properties.vaultUri}secrets/${key.name}'
    }
  }
  dependsOn: [
    readsKey
  ]
}

resource backend 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: service
  name: vendor
  properties: {
    type: 'Single'
    protocol: 'http'
    description: chosen.displayName
    url: url
    credentials: hasKey ? credentials : null
    tls: {
      validateCertificateChain: true
      validateCertificateName: true
    }
  }
  dependsOn: [
    keyValue
  ]
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: service
  name: vendor
  properties: {
    displayName: chosen.displayName
    description: '${chosen.displayName} as its clients know it, with every call on record.'
    apiType: 'http'
    type: 'http'
    path: chosen.path
    protocols: [
      'https'
    ]
    subscriptionRequired: true
    subscriptionKeyParameterNames: {
      header: chosen.header
      query: chosen.query
    }
  }
}

// What is asked is told by the path, and the record reads it there.
resource operations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = [for method in methods: {
  parent: api
  name: 'wildcard-${toLower(method)}'
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
    value: loadTextContent('../policies/vendor-api.xml')
  }
  dependsOn: [
    backend
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

resource products 'Microsoft.ApiManagement/service/products@2024-05-01' = [for team in teams: {
  parent: service
  name: '${team.name}-${vendor}'
  properties: {
    displayName: '${team.displayName}: ${chosen.displayName}'
    description: '${chosen.displayName} for ${team.displayName}.'
    approvalRequired: true
    state: 'published'
    subscriptionRequired: true
    subscriptionsLimit: 10
  }
}]

resource productApis 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = [for (team, index) in teams: {
  parent: products[index]
  name: api.name
}]

resource productPolicies 'Microsoft.ApiManagement/service/products/policies@2024-05-01' = [for (team, index) in teams: {
  parent: products[index]
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: empty(team.groupId) ? noPolicy : replace(groupPolicy, '__GROUP_ID__', team.groupId)
  }
}]

resource subscriptions 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = [for (team, index) in teams: {
  parent: service
  name: '${team.name}-${vendor}'
  properties: {
    displayName: '${team.displayName}: ${chosen.displayName}'
    scope: products[index].id
    state: 'active'
    allowTracing: false
  }
}]
