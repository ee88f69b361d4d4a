// One action group and all alert rules. alerts.json is the list: to add a rule is to add an entry.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Prefix of the rules\' names.')
param prefix string

@description('Mail addresses that alerts go to.')
param mailAddresses array

@description('Resource ids by the names that alerts.json uses: apiManagement, cosmos, eventHubs and sql; empty where there is none.')
param targets object

@description('Rules of alerts.json that stay off, by name: such as platform rules of a tier that has no such metric.')
param disabledRules array

var alerts = loadJsonContent('../alerts.json')

resource team 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-operators'
  location: 'global'
  tags: estate.tags
  properties: {
    enabled: true
    groupShortName: 'promptledger'
    emailReceivers: [for (address, index) in mailAddresses: {
      name: 'mail-${index}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

resource appRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in alerts.app: {
  name: '${prefix}-${alert.name}'
  location: estate.location
  tags: estate.tags
  kind: 'LogAlert'
  properties: {
    displayName: '${prefix}: ${alert.name}'
    description: alert.description
    enabled: !contains(disabledRules, alert.name)
    severity: alert.severity
    scopes: [
      estate.workspaceId
    ]
    evaluationFrequency: alert.frequency
    windowSize: alert.window
    autoMitigate: true
    // Metrics of an app that is not deployed yet have no table.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'AppMetrics | where Name == "${alert.metric}" | summarize value = ${alert.aggregate}, TimeGenerated = max(TimeGenerated) | where isnotnull(TimeGenerated)'
          metricMeasureColumn: 'value'
          timeAggregation: 'Maximum'
          operator: alert.operator
          threshold: alert.threshold
          failingPeriods: {
            minFailingPeriodsToAlert: 1
            numberOfEvaluationPeriods: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        team.id
      ]
    }
  }
}]

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in alerts.logs: {
  name: '${prefix}-${alert.name}'
  location: estate.location
  tags: estate.tags
  kind: 'LogAlert'
  properties: {
    displayName: '${prefix}: ${alert.name}'
    description: alert.description
    enabled: !contains(disabledRules, alert.name)
    severity: alert.severity
    scopes: [
      estate.workspaceId
    ]
    evaluationFrequency: alert.frequency
    windowSize: alert.window
    autoMitigate: true
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: alert.query
          metricMeasureColumn: 'value'
          timeAggregation: 'Total'
          operator: alert.operator
          threshold: alert.threshold
          failingPeriods: {
            minFailingPeriodsToAlert: 1
            numberOfEvaluationPeriods: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        team.id
      ]
    }
  }
}]

resource platformRules 'Microsoft.Insights/metricAlerts@2018-03-01' = [for alert in alerts.platform: if (!empty(targets[alert.target])) {
  name: '${prefix}-${alert.name}'
  location: 'global'
  tags: estate.tags
  properties: {
    description: alert.description
    enabled: !contains(disabledRules, alert.name)
    severity: alert.severity
    scopes: [
      targets[alert.target]
    ]
    evaluationFrequency: alert.frequency
    windowSize: alert.window
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [for criterion in alert.criteria: {
        criterionType: 'StaticThresholdCriterion'
        name: criterion.metric
        metricNamespace: alert.metricNamespace
        metricName: criterion.metric
        timeAggregation: criterion.aggregation
        operator: criterion.operator
        threshold: criterion.threshold
        skipMetricValidation: true
      }]
    }
    actions: [
      {
        actionGroupId: team.id
      }
    ]
  }
}]
