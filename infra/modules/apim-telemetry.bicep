// Where API Management writes: the hub of our own events, Azure Monitor, and Application Insights without bodies.

import { Hubs } from 'types.bicep'

@description('Name of the API Management service.')
param serviceName string

@description('Name of the logger of our own events, as policies name it.')
param loggerName string

@description('The two hubs that the app reads.')
param hubs Hubs

@description('Client id of the service\'s identity.')
param identityClientId string

@description('Application Insights component.')
param componentName string

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

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource eventLogger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: loggerName
  properties: {
    loggerType: 'azureEventHub'
    description: 'Events of the capture policy.'
    isBuffered: true
    credentials: {
      name: hubs.gatewayHubName
      endpointAddress: hubs.hostName
      identityClientId: identityClientId
    }
  }
}

resource monitorLogger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: {
    loggerType: 'azureMonitor'
    description: 'Azure Monitor: diagnostic settings say where to.'
    isBuffered: true
  }
}

resource insightsLogger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: service
  name: 'applicationinsights'
  properties: {
    loggerType: 'applicationInsights'
    description: 'Application Insights, signed in to by identity.'
    isBuffered: true
    resourceId: component.id
    credentials: {
      connectionString: component.properties.ConnectionString
      identityClientId: identityClientId
    }
  }
}

resource insights 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: service
  name: 'applicationinsights'
  properties: {
    loggerId: insightsLogger.id
    alwaysLog: 'allErrors'
    httpCorrelationProtocol: 'W3C'
    logClientIp: true
    metrics: true
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
  }
}

// Of every API, and of calls that no API takes; the Azure OpenAI API has one of its own.
resource monitor 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: service
  name: 'azuremonitor'
  properties: {
    loggerId: monitorLogger.id
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
  }
}

@description('Name of the logger of our own events.')
output eventLoggerName string = eventLogger.name

@description('Resource id of the logger of Azure Monitor.')
output monitorLoggerId string = monitorLogger.id
