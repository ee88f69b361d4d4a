// Log Analytics and Application Insights, closed to the internet when a private link scope carries their traffic.

@description('Workspace to use in place of a new one: its resource id; empty makes one.')
param existingWorkspaceId string

@description('Name of the workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Region of both.')
param location string

@description('Tags of both.')
param tags object

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('GiB of logs a day after which the workspace takes no more; -1 for no limit.')
param dailyQuotaGiB int

@description('Take telemetry from the internet. Only where no private link scope carries it.')
param publicIngestion bool

@description('Answer queries from the internet, still to signed-in people only: the portal on a desk outside the network.')
param publicQueries bool

var makesWorkspace = empty(existingWorkspaceId)
var workspaceId = makesWorkspace ? workspace.id : existingWorkspaceId

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = if (makesWorkspace) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    retentionInDays: retentionDays
    publicNetworkAccessForIngestion: publicIngestion ? 'Enabled' : 'Disabled'
    publicNetworkAccessForQuery: publicQueries ? 'Enabled' : 'Disabled'
    sku: {
      name: 'PerGB2018'
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: {
      dailyQuotaGb: dailyQuotaGiB
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableIpMasking: false
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    WorkspaceResourceId: workspaceId
    publicNetworkAccessForIngestion: publicIngestion ? 'Enabled' : 'Disabled'
    publicNetworkAccessForQuery: publicQueries ? 'Enabled' : 'Disabled'
  }
}

// Who asked the workspace what.
resource workspaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (makesWorkspace) {
  name: 'log-analytics'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspaceId

@description('Resource id of the component.')
output componentId string = component.id

@description('Name of the component.')
output componentName string = component.name
