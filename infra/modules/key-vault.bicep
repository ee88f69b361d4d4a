// The vault of the TLS certificate of Application Gateway, and of other vendors' keys. The app itself keeps no secret anywhere.

@description('Name of the vault.')
param name string

@description('Region of the vault.')
param location string

@description('Tags of the vault.')
param tags object

@description('Object id of the identity that reads the certificate.')
param certificateReaderPrincipalId string

@description('Let API Management in, which reads vendors\' keys from outside the network.')
param allowTrustedServices bool = false

@description('Subnet of the private endpoint.')
param subnetId string

@description('Private DNS zone of Key Vault.')
param zoneId string

@description('Log Analytics workspace for the audit log.')
param logAnalyticsWorkspaceId string

var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enablePurgeProtection: true
    enableRbacAuthorization: true
    enableSoftDelete: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: 'Disabled'
    softDeleteRetentionInDays: 90
    networkAcls: {
      bypass: allowTrustedServices ? 'AzureServices' : 'None'
      defaultAction: 'Deny'
    }
  }
}

resource readsCertificate 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, certificateReaderPrincipalId, 'keyVaultSecretsUser')
  scope: vault
  properties: {
    principalId: certificateReaderPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser.id)
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${name}-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    tags: tags
    subnetId: subnetId
    serviceId: vault.id
    groupId: 'vault'
    zoneIds: [
      zoneId
    ]
  }
}

resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: vault
  properties: {
    workspaceId: logAnalyticsWorkspaceId
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

@description('Name of the vault.')
output name string = vault.name
