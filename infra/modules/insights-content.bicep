// What people open: the workbook, and the two questions of the reference article as saved queries.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Save the two questions too: in the estate\'s own workspace, not in one that others share.')
param savesQueries bool

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

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = if (savesQueries) {
  name: last(split(estate.workspaceId, '/'))
}

resource savedQueries 'Microsoft.OperationalInsights/workspaces/savedSearches@2023-09-01' = [for saved in queries: if (savesQueries) {
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
    sourceId: estate.workspaceId
    version: '1.0'
  }
}
