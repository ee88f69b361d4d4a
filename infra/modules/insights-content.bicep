// What people open: the workbook, and the two questions of the reference article as saved queries.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Name of the Log Analytics workspace.')
param workspaceName string

var queries = [
  {
    name: 'usage-by-caller-and-model'
    displayName: 'Tokens by caller address and model'
    query: loadTextContent('../../sql/kql/log-analytics/usage_by_caller_and_model.kql')
  }
  {
    name: 'prompts'
    displayName: 'How prompts begin'
    query: loadTextContent('../../sql/kql/log-analytics/prompts.kql')
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource savedQueries 'Microsoft.OperationalInsights/workspaces/savedSearches@2023-09-01' = [for saved in queries: {
  parent: workspace
  name: saved.name
  // Overwrites the one of the deployment before.
  etag: '*'
  properties: {
    category: 'PromptLedger'
    displayName: saved.displayName
    query: saved.query
    version: 2
  }
}]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'promptledger-workbook')
  location: estate.location
  tags: estate.tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'PromptLedger'
    serializedData: loadTextContent('../workbooks/promptledger.json')
    sourceId: workspace.id
    version: '1.0'
  }
}
