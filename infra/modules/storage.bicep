// A storage account without keys and without a public door: for the host, for claim checks, for training files, for audits.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('What it is for: the middle of its name, such as host or audit.')
@maxLength(7)
param purpose string

@description('Region of the account.')
param location string = estate.location

@description('Redundancy of the account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param skuName string

@description('Names of the blob containers.')
param containerNames array

@description('Days after which blobs are deleted; 0 keeps them.')
param deleteAfterDays int = 0

@description('Days for which a deleted blob can be brought back.')
param softDeleteDays int = 7

@description('Keep each version of a blob: for accounts whose content is a record of its own.')
param keepVersions bool = false

@description('Days for which blobs may be added and appended to, but neither changed nor deleted; 0 for none.')
param immutableDays int = 0

@description('Sub-resources that get a private endpoint, of `blob` and `table`.')
param privateEndpointGroups array = [
  'blob'
]

@description('Let trusted Azure services reach the account past its firewall, by their identities.')
param allowTrustedServices bool = false

@description('Identities with a role on the account or a container: objects with `principalId`, `role` (a name in roles.json) and `container` (empty: the account).')
param roleAssignments array = []

var name = 'stpl${purpose}${estate.token}'
// In the open isolation the functions come in by the service endpoint of their subnet.
var isOpen = estate.isolation == 'open'
var roles = loadJsonContent('../roles.json')

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  // checkov:skip=CKV_AZURE_43: lower-case letters and digits it is; the check cannot read a name made of parts
  // checkov:skip=CKV_AZURE_206: redundancy is a parameter: the profiles say how much
  name: name
  location: location
  tags: estate.tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
    encryption: {
      requireInfrastructureEncryption: true
      keySource: 'Microsoft.Storage'
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
        table: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
    networkAcls: {
      bypass: allowTrustedServices ? 'AzureServices' : 'None'
      defaultAction: 'Deny'
      virtualNetworkRules: isOpen ? [
        {
          id: estate.subnetIds.functions
          action: 'Allow'
        }
      ] : null
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: keepVersions
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [for containerName in containerNames: {
  parent: blobs
  name: containerName
  properties: {
    publicAccess: 'None'
  }
}]

// Unlocked, which the platform asks of a new one: infra/scripts/lock-audit-logs makes it one that nobody can take back.
resource protections 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = [for (containerName, index) in containerNames: if (immutableDays > 0) {
  parent: containers[index]
  name: 'default'
  properties: {
    allowProtectedAppendWrites: true
    immutabilityPeriodSinceCreationInDays: immutableDays
  }
}]

resource expiry 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = if (deleteAfterDays > 0) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'expire'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterCreationGreaterThan: deleteAfterDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource accountRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for assignment in roleAssignments: if (empty(assignment.container)) {
  name: guid(account.id, assignment.principalId, assignment.role)
  scope: account
  properties: {
    principalId: assignment.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[assignment.role].id)
  }
}]

module containerRoles 'storage-container-role.bicep' = [for (assignment, index) in roleAssignments: if (!empty(assignment.container)) {
  name: '${name}-role-${index}'
  params: {
    accountName: account.name
    containerName: assignment.container
    principalId: assignment.principalId
    role: assignment.role
  }
  dependsOn: [
    containers
  ]
}]

module endpoints 'private-endpoint.bicep' = [for group in privateEndpointGroups: {
  name: '${name}-${group}-endpoint'
  params: {
    estate: estate
    name: 'pe-${name}-${group}'
    serviceId: account.id
    groupId: group
    zoneIds: [
      estate.zoneIds[group]
    ]
  }
}]

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: blobs
  properties: {
    workspaceId: estate.workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name

@description('Address of the blob service, with a slash at its end.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
