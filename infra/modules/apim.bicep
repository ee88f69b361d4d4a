// API Management: reachable from inside the network alone. Classic tiers are injected into a subnet; v2 tiers get a private
// endpoint on the way in and a delegated subnet on the way out.

import { Estate, Hubs } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('The two hubs that the app reads.')
param hubs Hubs

@description('Tier: Developer and Premium are classic and injected, StandardV2 has a private endpoint. Developer promises no availability.')
@allowed([
  'Developer'
  'Premium'
  'StandardV2'
])
param skuName string

@description('Units of the tier.')
@minValue(1)
@maxValue(31)
param capacity int

@description('Availability zones of Premium; none for the others.')
param zones array

@description('Name that the service writes in its mails.')
param publisherName string

@description('Address that the service\'s notifications go to.')
param publisherEmail string

@description('Identity of the service: resource id.')
param identityId string

@description('Give the service an identity of its own too: the only one that reads a vault behind a firewall.')
param hasOwnIdentity bool = false

@description('Leave the public door open: the platform refuses to make a v2 service without one. True for the very first deployment of StandardV2 only.')
param openOnCreation bool

@description('Let Log Analytics hold prompts and answers too.')
param contentInWorkspace bool

var name = 'apim-promptledger-${estate.suffix}'
var isV2 = skuName == 'StandardV2'
// GatewayLlmLogs hold what people wrote. The app's hub always gets them, the workspace when the organisation says so.
var workspaceCategories = contentInWorkspace ? [
  'GatewayLogs'
  'GatewayLlmLogs'
] : [
  'GatewayLogs'
]
// Old protocols and ciphers off; the v2 tiers never had them and take no such switches.
var classicProtocols = {
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2': 'True'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Ssl30': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls10': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls11': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Ciphers.TripleDes168': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Ssl30': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10': 'False'
  'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11': 'False'
}

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = if (!isV2) {
  name: '${name}-ip'
  location: estate.location
  tags: estate.tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    dnsSettings: {
      domainNameLabel: name
    }
  }
}

resource service 'Microsoft.ApiManagement/service@2024-05-01' = {
  // checkov:skip=CKV_AZURE_174: closed by virtual network or private endpoint; a v2 service cannot be created closed, and an injected one has no public gateway
  name: name
  location: estate.location
  tags: estate.tags
  sku: {
    name: skuName
    capacity: capacity
  }
  zones: skuName == 'Premium' ? zones : null
  identity: {
    type: hasOwnIdentity ? 'SystemAssigned, UserAssigned' : 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    apiVersionConstraint: {
      minApiVersion: '2021-08-01'
    }
    customProperties: isV2 ? {} : classicProtocols
    publisherEmail: publisherEmail
    publisherName: publisherName
    // The management plane of an injected service has its own public address; its gateway has none.
    publicIpAddressId: isV2 ? null : address.id
    publicNetworkAccess: isV2 && !openOnCreation ? 'Disabled' : 'Enabled'
    virtualNetworkType: isV2 ? 'External' : 'Internal'
    virtualNetworkConfiguration: {
      subnetResourceId: estate.subnetIds.apiManagement
    }
  }
}

module endpoint 'private-endpoint.bicep' = if (isV2) {
  name: '${name}-endpoint'
  params: {
    estate: estate
    name: 'pe-${name}'
    serviceId: service.id
    groupId: 'Gateway'
    zoneIds: [
      estate.zoneIds.apiManagement
    ]
  }
}

// An injected service has a private address but no private endpoint, so its one name gets a zone of its own.
module injectedName 'apim-dns.bicep' = if (!isV2) {
  name: '${name}-dns'
  params: {
    estate: estate
    zoneName: '${name}.azure-api.net'
    addresses: isV2 ? [] : service.properties.privateIPAddresses
  }
}

resource serviceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: service
  properties: {
    workspaceId: estate.workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [for category in workspaceCategories: {
      category: category
      enabled: true
    }]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

// A second witness of every call beside the policy's own events: the app joins them, and finds what either has missed.
resource serviceStream 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'event-hubs'
  scope: service
  properties: {
    eventHubAuthorizationRuleId: hubs.monitorRuleId
    eventHubName: hubs.monitorHubName
    logs: [
      {
        category: 'GatewayLogs'
        enabled: true
      }
      {
        category: 'GatewayLlmLogs'
        enabled: true
      }
    ]
  }
}

resource addressLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!isV2) {
  name: 'log-analytics'
  scope: address
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

@description('Resource id of the service.')
output id string = service.id

@description('Name of the service.')
output name string = service.name

@description('Host name of the gateway.')
output hostName string = replace(service.properties.gatewayUrl, 'https://', '')

@description('Object id of the service\'s own identity; empty where it has none.')
output ownPrincipalId string = hasOwnIdentity ? service.identity.principalId : ''
