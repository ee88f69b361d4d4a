// The namespace with the two hubs that the app reads. Retention is the buffer for the time that a store is down.

import { Estate, Hubs } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Tier: Standard counts throughput units, Premium processing units and keeps events for up to 90 days.')
@allowed([
  'Standard'
  'Premium'
])
param skuName string

@description('Throughput units (Standard) or processing units (Premium) to begin with.')
@minValue(1)
@maxValue(40)
param capacity int

@description('Throughput units up to which Standard inflates by itself; 0 for Premium, which does not.')
param maximumThroughputUnits int

@description('Hub of the API Management policy\'s events.')
param gatewayHubName string

@description('Hub of the diagnostic settings\' logs.')
param monitorHubName string

@description('The app\'s own consumer group on both hubs.')
param consumerGroupName string

@description('Further consumer groups on both hubs, such as that of a job that is being replaced. Data Explorer makes its own.')
param furtherConsumerGroupNames array

@description('Partitions of each hub: the most that can be read side by side. Standard cannot change it later.')
@minValue(1)
@maxValue(32)
param partitionCount int

@description('Hours for which events are kept: 168 at most in Standard, 2160 in Premium.')
param retentionHours int

@description('Let those who hold a key of the namespace in: until it is shown that Azure Monitor streams without.')
param allowKeys bool

@description('Keep the raw events of both hubs in Blob storage as well.')
param captureEnabled bool

@description('Storage account that captured events go to; unused without capture.')
param captureStorageAccountId string

@description('Container that captured events go to.')
param captureContainerName string

@description('Identity of the namespace, which writes captured events.')
param identityId string

@description('Object id of the app\'s identity, which receives.')
param receiverPrincipalId string

@description('Object id of API Management\'s identity, which sends to the gateway hub; empty for none.')
param senderPrincipalId string

var name = 'evhns-promptledger-${estate.suffix}'
@description('Addresses and ranges that events are sent from in the open isolation, such as those of an API Management of one\'s own.')
param senderPrefixes array

var isOpen = estate.isolation == 'open'
var allowSenders = [for prefix in senderPrefixes: {
  ipMask: prefix
  action: 'Allow'
}]
var roles = loadJsonContent('../roles.json')
var isStandard = skuName == 'Standard'
var consumerGroupNames = concat([
  consumerGroupName
], furtherConsumerGroupNames)
var capture = captureEnabled ? {
  enabled: true
  encoding: 'Avro'
  intervalInSeconds: 300
  sizeLimitInBytes: 314572800
  skipEmptyArchives: true
  destination: {
    name: 'EventHubArchive.AzureBlockBlob'
    identity: {
      type: 'UserAssigned'
      userAssignedIdentity: identityId
    }
    properties: {
      storageAccountResourceId: captureStorageAccountId
      blobContainer: captureContainerName
      archiveNameFormat: '{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}'
    }
  }
} : null

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: estate.location
  tags: estate.tags
  sku: {
    name: skuName
    tier: skuName
    capacity: capacity
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    disableLocalAuth: !allowKeys
    isAutoInflateEnabled: isStandard
    maximumThroughputUnits: isStandard ? maximumThroughputUnits : 0
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled'
    zoneRedundant: true
  }
}

// Azure Monitor, which streams logs, and Data Explorer are trusted services. API Management is none since March 2026: its events
// come through its subnet and the private endpoint, like what the app reads.
resource firewall 'Microsoft.EventHub/namespaces/networkRuleSets@2024-01-01' = {
  parent: namespace
  name: 'default'
  properties: {
    defaultAction: 'Deny'
    publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled'
    trustedServiceAccessEnabled: true
    ipRules: isOpen ? allowSenders : null
    virtualNetworkRules: isOpen ? [
      {
        subnet: {
          id: estate.subnetIds.functions
        }
      }
    ] : null
  }
}

resource gatewayHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: gatewayHubName
  properties: {
    partitionCount: partitionCount
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
    captureDescription: capture
  }
}

resource monitorHub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: monitorHubName
  properties: {
    partitionCount: partitionCount
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: retentionHours
    }
    captureDescription: capture
  }
}

resource gatewayReaders 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for groupName in consumerGroupNames: {
  parent: gatewayHub
  name: groupName
  properties: {}
}]

resource monitorReaders 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2024-01-01' = [for groupName in consumerGroupNames: {
  parent: monitorHub
  name: groupName
  properties: {}
}]

// A diagnostic setting names its namespace by such a rule, and may stream with its key: docs/operations.md, Keys of the hubs.
resource monitorRule 'Microsoft.EventHub/namespaces/authorizationRules@2024-01-01' = {
  parent: namespace
  name: 'diagnostic-settings'
  properties: {
    rights: [
      'Listen'
      'Manage'
      'Send'
    ]
  }
}

resource receivesFromGatewayHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(gatewayHub.id, receiverPrincipalId, 'eventHubsDataReceiver')
  scope: gatewayHub
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver.id)
  }
}

resource receivesFromMonitorHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(monitorHub.id, receiverPrincipalId, 'eventHubsDataReceiver')
  scope: monitorHub
  properties: {
    principalId: receiverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataReceiver.id)
  }
}

resource sendsToGatewayHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(senderPrincipalId)) {
  name: guid(gatewayHub.id, senderPrincipalId, 'eventHubsDataSender')
  scope: gatewayHub
  properties: {
    principalId: senderPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventHubsDataSender.id)
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    estate: estate
    name: 'pe-${name}'
    serviceId: namespace.id
    groupId: 'namespace'
    zoneIds: [
      estate.zoneIds.eventHubs
    ]
  }
}

resource namespaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: namespace
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

@description('The two hubs.')
output hubs Hubs = {
  namespaceId: namespace.id
  hostName: replace(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
  gatewayHubName: gatewayHub.name
  monitorHubName: monitorHub.name
  consumerGroupName: consumerGroupName
  monitorRuleId: monitorRule.id
}
