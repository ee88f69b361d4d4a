// Values that policies name in double braces. infra/policies/ uses each of them.

@description('Name of the API Management service.')
param serviceName string

@description('Name of the logger of our own events, as the policies name it.')
param loggerName string

@description('Address of the storage account of claim checks.')
param claimCheckEndpoint string

@description('Container of claim checks.')
param claimCheckContainerName string

@description('Write bodies that are too big for an event to Blob storage; otherwise they travel in parts.')
param captureClaimChecks bool

@description('Calls a minute of one caller whose bodies are recorded; 0 for all.')
param captureCallsPerMinute int

@description('Calls of those whose budget is used up: off, mark, refuse, or refuse-unknown, which also refuses while nobody can say.')
@allowed([
  'off'
  'mark'
  'refuse'
  'refuse-unknown'
])
param budgetEnforcement string

@description('Address of the audit API, which knows what is used up.')
param auditApiUrl string

@description('Who owns files, threads, stored responses and other objects: subscription, application, person, or off.')
@allowed([
  'subscription'
  'application'
  'person'
  'off'
])
param objectOwner string

@description('What happens to objects that nobody is known to own: adopt or refuse.')
@allowed([
  'adopt'
  'refuse'
])
param unknownObjects string

@description('Refuse calls that bring their key in the URL.')
param refuseQueryKeys bool

@description('Audience that clients\' tokens must name.')
param openAIAudience string

@description('Audience that auditors\' tokens must name.')
param auditAudience string

@description('Client id of the service\'s identity, which policies sign in with.')
param identityClientId string

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
    name: 'audit-audience'
    value: auditAudience
  }
  {
    name: 'gateway-client-id'
    value: identityClientId
  }
  {
    name: 'tenant-id'
    value: tenant().tenantId
  }
  {
    name: 'capture-claim-check'
    value: captureClaimChecks ? 'true' : 'false'
  }
  {
    name: 'capture-calls-per-minute'
    value: string(captureCallsPerMinute)
  }
  {
    name: 'ownership'
    value: objectOwner
  }
  {
    name: 'ownership-unknown'
    value: unknownObjects
  }
  {
    name: 'query-keys'
    value: refuseQueryKeys ? 'refuse' : 'allow'
  }
  {
    name: 'budgets'
    value: budgetEnforcement
  }
  {
    name: 'budgets-url'
    value: auditApiUrl
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
