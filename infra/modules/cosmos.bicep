// Cosmos DB: full content. Signed in to by identity only; items live as long as their own TTL says.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Name of the database.')
param databaseName string

@description('Name of the container of content.')
param containerName string

@description('Pay by request, without reserved throughput: for small estates. Allows one region.')
param serverless bool

@description('Most request units a second of the container; a tenth of it is the least. Unused when serverless.')
@minValue(1000)
param maximumThroughput int

@description('Spread replicas over availability zones.')
param zoneRedundant bool

@description('Second region, which takes over writes when the first is lost; empty for none.')
param secondaryLocation string

@description('Object id of the app\'s identity, which reads and writes content.')
param writerPrincipalId string

var name = 'cosmos-pl-${estate.suffix}'
var firstRegion = [
  {
    locationName: estate.location
    failoverPriority: 0
    isZoneRedundant: zoneRedundant
  }
]
var secondRegion = empty(secondaryLocation) ? [] : [
  {
    locationName: secondaryLocation
    failoverPriority: 1
    isZoneRedundant: zoneRedundant
  }
]
// The built-in role that reads and writes items and can change nothing else. A role of Cosmos DB, not of the subscription.
var dataContributor = '00000000-0000-0000-0000-000000000002'

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  // checkov:skip=CKV_AZURE_99: public access is off altogether; the check looks for address rules
  name: name
  location: estate.location
  tags: estate.tags
  kind: 'GlobalDocumentDB'
  properties: {
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous30Days'
      }
    }
    capabilities: serverless ? [
      {
        name: 'EnableServerless'
      }
    ] : []
    consistencyPolicy: {
      // What one host wrote, the host that joins it a moment later must see: docs/adr/0007-cosmos-content.md. In the region
      // that is written to, this level is as good as Strong, and the bounds are the least that two regions allow.
      defaultConsistencyLevel: 'BoundedStaleness'
      maxIntervalInSeconds: 300
      maxStalenessPrefix: 100000
    }
    databaseAccountOfferType: 'Standard'
    disableKeyBasedMetadataWriteAccess: true
    disableLocalAuth: true
    enableAutomaticFailover: !empty(secondaryLocation)
    locations: concat(firstRegion, secondRegion)
    minimalTlsVersion: 'Tls12'
    networkAclBypass: 'None'
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: account
  name: databaseName
  properties: {
    resource: {
      id: databaseName
    }
  }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = {
  parent: database
  name: containerName
  properties: {
    options: serverless ? {} : {
      autoscaleSettings: {
        maxThroughput: maximumThroughput
      }
    }
    resource: {
      id: containerName
      // -1: an item lives for ever unless it has a TTL of its own.
      defaultTtl: -1
      partitionKey: {
        kind: 'Hash'
        paths: [
          '/interactionId'
        ]
        version: 2
      }
      // Content is asked for by id alone: indexing texts would cost more than storing them.
      indexingPolicy: {
        automatic: true
        indexingMode: 'consistent'
        includedPaths: [
          {
            path: '/interactionId/?'
          }
          {
            path: '/document/?'
          }
        ]
        excludedPaths: [
          {
            path: '/*'
          }
        ]
      }
    }
  }
}

resource writesContent 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: account
  name: guid(account.id, writerPrincipalId, dataContributor)
  properties: {
    principalId: writerPrincipalId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
    scope: '${account.id}/dbs/${database.name}'
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    estate: estate
    name: 'pe-${name}'
    serviceId: account.id
    groupId: 'Sql'
    zoneIds: [
      estate.zoneIds.cosmos
    ]
  }
  // The account takes one operation at a time.
  dependsOn: [
    container
    writesContent
  ]
}

// Requests, not texts: DataPlaneRequests holds no item. QueryRuntimeStatistics would hold query texts, so the audit group only.
resource accountLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: account
  properties: {
    workspaceId: estate.workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        category: 'ControlPlaneRequests'
        enabled: true
      }
      {
        category: 'DataPlaneRequests'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Requests'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Address of the account.')
output endpoint string = account.properties.documentEndpoint

@description('Name of the database.')
output databaseName string = database.name

@description('Name of the container.')
output containerName string = container.name
