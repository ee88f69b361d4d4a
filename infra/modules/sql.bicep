// Azure SQL: the ledger. Entra sign-in only, private, audited, with its backups in the paired region.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Name of the database.')
param databaseName string

@description('Entra group or person that administers the server: its name.')
param administratorsName string

@description('Entra group or person that administers the server: its object id.')
param administratorsObjectId string

@description('What the administrator is.')
@allowed([
  'Group'
  'User'
])
param administratorsType string

@description('Identity of the server, which writes audit logs and ledger digests.')
param identityId string

@description('Size of the database: Basic, S0 and S1 are sold by transaction units; GP_S_Gen5 is serverless, GP_Gen5 provisioned, BC_Gen5 business critical, HS_Gen5 hyperscale.')
@allowed([
  'Basic'
  'S0'
  'S1'
  'GP_S_Gen5'
  'GP_Gen5'
  'BC_Gen5'
  'HS_Gen5'
])
param skuName string

@description('Virtual cores: of serverless, the most. Unused where transaction units are sold.')
param virtualCores int

@description('Fewest virtual cores of serverless, as text, such as `0.5`.')
param minimumVirtualCores string

@description('Idle minutes after which serverless pauses; -1 never. A paused database makes the next batch wait for a minute, and one that pauses keeps no weekly backups and has no second region.')
param autoPauseMinutes int

@description('Largest size of the database in GiB. Unused by hyperscale; Basic has 2.')
param maximumSizeGiB int

@description('Spread replicas over availability zones.')
param zoneRedundant bool

@description('Redundancy of backups.')
@allowed([
  'Geo'
  'GeoZone'
  'Local'
  'Zone'
])
param backupRedundancy string

@description('Days for which any second can be restored: 7 in Basic.')
@minValue(7)
@maxValue(35)
param restoreDays int

@description('How long weekly backups are kept, as an ISO 8601 duration. Unused by a database that pauses.')
param weeklyRetention string

@description('Storage account of audit logs and ledger digests: its blob address.')
param auditBlobEndpoint string

@description('Watch the server with Defender for SQL, which is paid for by the server.')
param threatDetection bool

@description('Storage account of the second server\'s audit logs, in its region: its blob address. Unused without a second server.')
param secondaryAuditBlobEndpoint string

@description('Name of the app\'s identity, and of its user in the database.')
param appIdentityName string

@description('Upload digests of ledger tables. Needs the migration that makes ledger tables.')
param ledgerDigests bool

@description('Region of a second server that takes over when this one is lost; empty for none.')
param secondaryLocation string

var serverName = 'sql-promptledger-${estate.suffix}'
var secondaryServerName = 'sql-promptledger2-${estate.suffix}'
var isOpen = estate.isolation == 'open'
var hasUnits = contains([
  'Basic'
  'S0'
  'S1'
], skuName)
var isServerless = skuName == 'GP_S_Gen5'
var pauses = isServerless && autoPauseMinutes >= 0
var isHyperscale = skuName == 'HS_Gen5'
var hasSecondary = !empty(secondaryLocation)
// Who came in, who was turned away, who changed rights or tables, and what people read and write by their own hand. Not
// BATCH_COMPLETED_GROUP: it writes statements with their parameters, and with them texts of people, into a log.
var auditedGroups = [
  'DATABASE_OBJECT_PERMISSION_CHANGE_GROUP'
  'DATABASE_PERMISSION_CHANGE_GROUP'
  'DATABASE_PRINCIPAL_CHANGE_GROUP'
  'DATABASE_PRINCIPAL_IMPERSONATION_GROUP'
  'DATABASE_ROLE_MEMBER_CHANGE_GROUP'
  'FAILED_DATABASE_AUTHENTICATION_GROUP'
  'SCHEMA_OBJECT_ACCESS_GROUP'
  'SCHEMA_OBJECT_CHANGE_GROUP'
  'SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP'
]
// The app's own statements are the product at work, thousands a minute; who acts in its name is audited as that.
var auditedUsers = 'database_principal_name <> \'${appIdentityName}\''
// Not the server's name: both are names of one domain.
var failoverGroupName = '${serverName}-failover'
var sku = hasUnits ? {
  name: skuName
  tier: skuName == 'Basic' ? 'Basic' : 'Standard'
} : {
  name: '${skuName}_${virtualCores}'
}
var administrators = {
  administratorType: 'ActiveDirectory'
  azureADOnlyAuthentication: true
  login: administratorsName
  principalType: administratorsType
  sid: administratorsObjectId
  tenantId: tenant().tenantId
}

resource server 'Microsoft.Sql/servers@2023-08-01' = {
  // checkov:skip=CKV_AZURE_113: open is one subnet and Entra sign-in alone; the isolation is a parameter
  name: serverName
  location: estate.location
  tags: estate.tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    administrators: administrators
    minimalTlsVersion: '1.2'
    primaryUserAssignedIdentityId: identityId
    publicNetworkAccess: isOpen ? 'Enabled' : 'Disabled'
    version: '12.0'
  }
}

resource entraOnly 'Microsoft.Sql/servers/azureADOnlyAuthentications@2023-08-01' = {
  parent: server
  name: 'Default'
  properties: {
    azureADOnlyAuthentication: true
  }
}

// The functions come in by the service endpoint of their subnet. Nobody else does: a hook opens the firewall for its own address
// while it works.
resource functionsRule 'Microsoft.Sql/servers/virtualNetworkRules@2023-08-01' = if (isOpen) {
  parent: server
  name: 'functions'
  properties: {
    virtualNetworkSubnetId: estate.subnetIds.functions
  }
}

resource database 'Microsoft.Sql/servers/databases@2023-08-01' = {
  // checkov:skip=CKV_AZURE_229: zone redundancy is a parameter: the profiles say
  // checkov:skip=CKV_AZURE_26: alerts are set on the server, for all its databases
  // checkov:skip=CKV_AZURE_27: alerts are set on the server, for all its databases
  parent: server
  name: databaseName
  location: estate.location
  tags: estate.tags
  sku: sku
  properties: {
    autoPauseDelay: isServerless ? autoPauseMinutes : null
    // Hyperscale stands in several zones only with a replica in another one.
    highAvailabilityReplicaCount: isHyperscale ? (zoneRedundant ? 1 : 0) : null
    maxSizeBytes: isHyperscale ? null : (skuName == 'Basic' ? 2 : maximumSizeGiB) * 1073741824
    minCapacity: isServerless ? json(minimumVirtualCores) : null
    requestedBackupStorageRedundancy: backupRedundancy
    zoneRedundant: zoneRedundant
  }
}

resource encryption 'Microsoft.Sql/servers/databases/transparentDataEncryption@2023-08-01' = {
  parent: database
  name: 'current'
  properties: {
    state: 'Enabled'
  }
}

resource restore 'Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies@2023-08-01' = {
  parent: database
  name: 'default'
  properties: {
    retentionDays: skuName == 'Basic' ? 7 : restoreDays
  }
}

// The platform keeps no long-term backups of a database that pauses.
resource archive 'Microsoft.Sql/servers/databases/backupLongTermRetentionPolicies@2023-08-01' = if (!pauses) {
  parent: database
  name: 'default'
  properties: {
    weeklyRetention: weeklyRetention
  }
  dependsOn: [
    restore
  ]
}

resource digests 'Microsoft.Sql/servers/databases/ledgerDigestUploads@2023-08-01' = if (ledgerDigests) {
  parent: database
  name: 'current'
  properties: {
    digestStorageEndpoint: auditBlobEndpoint
  }
}

// To storage, where nobody who administers the database can change it, and to Log Analytics, where alerts see it. Set on each
// server, not on the database: a replica takes over a database's settings, and would write to an account of another region,
// whose firewall turns it away.
resource auditing 'Microsoft.Sql/servers/extendedAuditingSettings@2023-08-01' = {
  parent: server
  name: 'default'
  properties: {
    state: 'Enabled'
    isAzureMonitorTargetEnabled: true
    isManagedIdentityInUse: true
    retentionDays: 0
    storageEndpoint: auditBlobEndpoint
    auditActionsAndGroups: auditedGroups
    predicateExpression: auditedUsers
  }
}

resource threatProtection 'Microsoft.Sql/servers/securityAlertPolicies@2023-08-01' = if (threatDetection) {
  parent: server
  name: 'Default'
  properties: {
    state: 'Enabled'
    emailAccountAdmins: true
  }
}

resource assessment 'Microsoft.Sql/servers/sqlVulnerabilityAssessments@2023-08-01' = if (threatDetection) {
  parent: server
  name: 'default'
  properties: {
    state: 'Enabled'
  }
  dependsOn: [
    threatProtection
  ]
}

// Audit events of a server go the way of its master database's diagnostic setting.
resource master 'Microsoft.Sql/servers/databases@2023-08-01' existing = {
  parent: server
  name: 'master'
}

resource auditLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: master
  properties: {
    workspaceId: estate.workspaceId
    logs: [
      {
        category: 'SQLSecurityAuditEvents'
        enabled: true
      }
    ]
  }
}

resource databaseLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: database
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
        category: 'Basic'
        enabled: true
      }
    ]
  }
}

module endpoint 'private-endpoint.bicep' = {
  name: '${serverName}-endpoint'
  params: {
    estate: estate
    name: 'pe-${serverName}'
    serviceId: server.id
    groupId: 'sqlServer'
    zoneIds: [
      estate.zoneIds.sql
    ]
  }
}

resource secondary 'Microsoft.Sql/servers@2023-08-01' = if (hasSecondary) {
  // checkov:skip=CKV_AZURE_52: TLS 1.2 it is; the check cannot read a conditional resource
  // checkov:skip=CKV_AZURE_113: public access is off; the check cannot read a conditional resource
  name: secondaryServerName
  location: hasSecondary ? secondaryLocation : estate.location
  tags: estate.tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    administrators: administrators
    minimalTlsVersion: '1.2'
    primaryUserAssignedIdentityId: identityId
    publicNetworkAccess: 'Disabled'
    version: '12.0'
  }
}

resource secondaryAuditing 'Microsoft.Sql/servers/extendedAuditingSettings@2023-08-01' = if (hasSecondary) {
  parent: secondary
  name: 'default'
  properties: {
    state: 'Enabled'
    isAzureMonitorTargetEnabled: true
    isManagedIdentityInUse: true
    retentionDays: 0
    storageEndpoint: secondaryAuditBlobEndpoint
    auditActionsAndGroups: auditedGroups
    predicateExpression: auditedUsers
  }
}

resource secondaryMaster 'Microsoft.Sql/servers/databases@2023-08-01' existing = {
  parent: secondary
  name: 'master'
}

resource secondaryAuditLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (hasSecondary) {
  name: 'log-analytics'
  scope: secondaryMaster
  properties: {
    workspaceId: estate.workspaceId
    logs: [
      {
        category: 'SQLSecurityAuditEvents'
        enabled: true
      }
    ]
  }
}

resource secondaryThreatProtection 'Microsoft.Sql/servers/securityAlertPolicies@2023-08-01' = if (hasSecondary && threatDetection) {
  parent: secondary
  name: 'Default'
  properties: {
    state: 'Enabled'
    emailAccountAdmins: true
  }
}

resource secondaryAssessment 'Microsoft.Sql/servers/sqlVulnerabilityAssessments@2023-08-01' = if (hasSecondary && threatDetection) {
  parent: secondary
  name: 'default'
  properties: {
    state: 'Enabled'
  }
  dependsOn: [
    secondaryThreatProtection
  ]
}

// Fails over by hand: an automatic one may lose rows that clients were told of.
resource failoverGroup 'Microsoft.Sql/servers/failoverGroups@2023-08-01' = if (hasSecondary) {
  parent: server
  name: failoverGroupName
  tags: estate.tags
  properties: {
    databases: [
      database.id
    ]
    partnerServers: [
      {
        id: secondary.id
      }
    ]
    readWriteEndpoint: {
      failoverPolicy: 'Manual'
    }
  }
}

module secondaryEndpoint 'private-endpoint.bicep' = if (hasSecondary) {
  name: '${secondaryServerName}-endpoint'
  params: {
    estate: estate
    name: 'pe-${secondaryServerName}'
    serviceId: secondary.id
    groupId: 'sqlServer'
    zoneIds: [
      estate.zoneIds.sql
    ]
  }
}

@description('Resource id of the database.')
output databaseId string = database.id

@description('Host name to connect to: that of the failover group where there is one, so that a failover changes no setting.')
output hostName string = hasSecondary ? '${failoverGroupName}${environment().suffixes.sqlServerHostname}' : server.properties.fullyQualifiedDomainName
