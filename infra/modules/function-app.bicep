// The app on Flex Consumption: signs in to everything by identity, calls out through the network, is called through it.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Python that the app runs on.')
@allowed([
  '3.11'
  '3.12'
  '3.13'
])
param pythonVersion string

@description('Memory of an instance in MB.')
@allowed([
  2048
  4096
])
param instanceMemoryMB int

@description('Most instances. Each hub is read by as many as it has partitions, at the most.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Instances that wait for HTTP calls; 0 starts one on the first call.')
param alwaysReadyHttp int

@description('Instances that wait for each hub\'s events; 0 starts one when events come.')
param alwaysReadyIngest int

@description('Spread the plan over availability zones.')
param zoneRedundant bool

@description('The app\'s identity: resource id.')
param identityId string

@description('Storage account of the Functions host: its name.')
param hostStorageName string

@description('Container of the host\'s account that holds the deployed package.')
param packageContainerName string

@description('Everything that the app and its bindings read, by name: app-settings.bicep.')
param appSettings object

@description('Entra application of the audit API: its client id. Empty leaves the platform\'s own sign-in off, and the audit API, which trusts nothing else, answers nobody.')
param auditClientId string

@description('Identity that publishes the app\'s package: its object id; empty for none.')
param publisherPrincipalId string

var name = 'func-promptledger-${estate.suffix}'
var planName = 'plan-promptledger-${estate.suffix}'
@description('Addresses and ranges that may ask the audit API in the open isolation.')
param callerPrefixes array

var isOpen = estate.isolation == 'open'
var allowCallers = [for (prefix, index) in callerPrefixes: {
  name: 'caller-${index}'
  priority: 200 + index
  action: 'Allow'
  ipAddress: contains(prefix, '/') ? prefix : '${prefix}/32'
}]
var roles = loadJsonContent('../roles.json')
// Names as the platform groups functions: all of HTTP as one, every other function by itself.
var readyHttp = alwaysReadyHttp == 0 ? [] : [
  {
    name: 'http'
    instanceCount: alwaysReadyHttp
  }
]
var readyIngest = alwaysReadyIngest == 0 ? [] : [
  {
    name: 'function:ingest_gateway'
    instanceCount: alwaysReadyIngest
  }
  {
    name: 'function:ingest_monitor'
    instanceCount: alwaysReadyIngest
  }
]

resource hostStorage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: hostStorageName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225: zone redundancy is a parameter: the profiles say
  name: planName
  location: estate.location
  tags: estate.tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_222: open is to named addresses alone; the isolation is a parameter
  // checkov:skip=CKV_AZURE_17: callers sign in with Entra tokens; client certificates are not used
  // checkov:skip=CKV_AZURE_212: Flex Consumption scales by itself; the profiles say how many instances wait
  // checkov:skip=CKV_AZURE_213: Flex Consumption has no health check path of its own
  name: name
  location: estate.location
  tags: estate.tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    clientCertEnabled: false
    httpsOnly: true
    publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: estate.subnetIds.functions
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        alwaysReady: concat(readyHttp, readyIngest)
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        triggers: {
          http: {
            // One question at a time is what Python gets otherwise, and each further one asks for an instance of its own.
            perInstanceConcurrency: 16
          }
        }
      }
    }
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictions: isOpen ? allowCallers : null
      ipSecurityRestrictionsDefaultAction: isOpen ? 'Deny' : null
      minTlsVersion: '1.2'
      remoteDebuggingEnabled: false
      // Who may not ask may not publish either.
      scmIpSecurityRestrictionsDefaultAction: isOpen ? 'Deny' : null
      scmIpSecurityRestrictionsUseMain: isOpen ? true : null
      scmMinTlsVersion: '1.2'
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_66: these are the app's settings, not its web configuration
  // checkov:skip=CKV_AZURE_63: these are the app's settings, not its web configuration
  // checkov:skip=CKV_AZURE_222: said on the app itself
  // checkov:skip=CKV_AZURE_80: a Python app
  // checkov:skip=CKV_AZURE_13: said in the resource signIn
  // checkov:skip=CKV_AZURE_88: Flex Consumption keeps no files: its package lies in Blob storage
  // checkov:skip=CKV_AZURE_65: these are the app's settings, not its web configuration
  parent: app
  name: 'appsettings'
  properties: appSettings
}

// Publishing by user name and password is off: packages come by an identity, or not at all.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

// The platform's own sign-in, in front of the app: no token of this tenant for this API, no call. Probes alone pass.
resource signIn 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_66: this is the app's sign-in, not its web configuration
  // checkov:skip=CKV_AZURE_63: this is the app's sign-in, not its web configuration
  // checkov:skip=CKV_AZURE_222: said on the app itself
  // checkov:skip=CKV_AZURE_80: a Python app
  // checkov:skip=CKV_AZURE_13: this is the sign-in; the check reads another kind of resource
  // checkov:skip=CKV_AZURE_88: Flex Consumption keeps no files: its package lies in Blob storage
  // checkov:skip=CKV_AZURE_65: this is the app's sign-in, not its web configuration
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: !empty(auditClientId)
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/health/live'
        '/api/health/ready'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: !empty(auditClientId)
        registration: {
          clientId: auditClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            auditClientId
            'api://${auditClientId}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
  // One change of configuration after the other.
  dependsOn: [
    settings
  ]
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(publisherPrincipalId)) {
  name: guid(app.id, publisherPrincipalId, 'websiteContributor')
  scope: app
  properties: {
    principalId: publisherPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.websiteContributor.id)
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    name: 'pe-${name}'
    estate: estate
    serviceId: app.id
    groupId: 'sites'
    zoneIds: [
      estate.zoneIds.sites
    ]
  }
}

resource appLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: app
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

resource planLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: plan
  properties: {
    workspaceId: estate.workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the app.')
output id string = app.id

@description('Name of the app.')
output name string = app.name

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
