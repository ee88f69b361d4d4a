// The one list of settings: all that the app, its bindings and the host read in Azure. docs/operations.md says what each means.
// FUNCTIONS_WORKER_RUNTIME is not among them: Flex Consumption takes the runtime from the app's own configuration.

import { Hubs } from 'types.bicep'

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Storage account of the Functions host.')
param hostStorageName string

@description('The two hubs that the app reads.')
param hubs Hubs

@description('Host name of the SQL server, or of its failover group.')
param sqlHostName string

@description('Name of the ledger\'s database.')
param sqlDatabaseName string

@description('Where content is kept: beside the ledger, or in Cosmos DB.')
@allowed([
  'cosmos'
  'sql'
])
param contentStore string

@description('Address of the Cosmos DB account; unused where content is kept beside the ledger.')
param cosmosEndpoint string

@description('Database of content.')
param cosmosDatabaseName string

@description('Container of content.')
param cosmosContainerName string

@description('Address of the storage account of claim checks.')
param claimCheckEndpoint string

@description('Container of claim checks.')
param claimCheckContainerName string

@description('Address of the storage account of exports.')
param exportEndpoint string

@description('Container of exports.')
param exportContainerName string

@description('Days for which content is kept; 0 for ever.')
param contentDays int

@description('Days for which records that speak of no call are kept; 0 for ever.')
param asideDays int

@description('Entra application of the audit API: its client id. Empty: the audit API answers nobody.')
param auditClientId string

@description('Webhooks that are told of alerts of budgets, as docs/operations.md has them: a reference to Key Vault, or nothing.')
param alertWebhooks string = ''

@description('Key with which those alerts are signed: a reference to Key Vault, or nothing.')
#disable-next-line secure-secrets-in-params // a reference, which the platform follows
param alertWebhookKey string = ''

@description('Application Insights component.')
param componentName string

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

@description('The settings by name.')
output values object = {
  // The Functions host and its bindings.
  AzureWebJobsStorage__accountName: hostStorageName
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  EVENT_HUBS__clientId: identityClientId
  EVENT_HUBS__credential: 'managedidentity'
  EVENT_HUBS__fullyQualifiedNamespace: hubs.hostName
  GATEWAY_HUB_NAME: hubs.gatewayHubName
  HUB_CONSUMER_GROUP: hubs.consumerGroupName
  MONITOR_HUB_NAME: hubs.monitorHubName
  BUDGET_SCHEDULE: '0 2-57/5 * * * *'
  PRICES_SCHEDULE: '0 40 3 * * *'
  CLAIM_CHECK_SCHEDULE: '30 * * * * *'
  COMPLETENESS_SCHEDULE: '0 10 * * * *'
  EXPIRE_SCHEDULE: '30 */5 * * * *'
  EXPORT_SCHEDULE: '45 * * * * *'
  FORWARD_SCHEDULE: '20 * * * * *'
  ROLLUP_SCHEDULE: '0 */5 * * * *'
  WORDS_SCHEDULE: '15 * * * * *'

  // The app.
  PROMPTLEDGER_ASIDE_DAYS: string(asideDays)
  PROMPTLEDGER_AUDIENCE: empty(auditClientId) ? '' : '${auditClientId},api://${auditClientId}'
  PROMPTLEDGER_AUTH: 'entra'
  PROMPTLEDGER_AUTHORITY: environment().authentication.loginEndpoint
  PROMPTLEDGER_CLAIM_CHECK_ACCOUNT: claimCheckEndpoint
  PROMPTLEDGER_CLAIM_CHECK_CONTAINERS: claimCheckContainerName
  PROMPTLEDGER_CLAIM_CHECK_DAYS: '7'
  PROMPTLEDGER_CLAIM_CHECK_MEGABYTES: '64'
  PROMPTLEDGER_CLIENTS: ''
  PROMPTLEDGER_CONTENT: contentStore
  PROMPTLEDGER_CONTENT_DAYS: string(contentDays)
  PROMPTLEDGER_COSMOS_CONTAINER: cosmosContainerName
  PROMPTLEDGER_COSMOS_DATABASE: cosmosDatabaseName
  PROMPTLEDGER_COSMOS_ENDPOINT: cosmosEndpoint
  PROMPTLEDGER_DATABASE: 'mssql+pyodbc://@${sqlHostName}/${sqlDatabaseName}?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes'
  PROMPTLEDGER_EXPORTS: exportEndpoint
  PROMPTLEDGER_EXPORT_CONTAINER: exportContainerName
  PROMPTLEDGER_EXPORT_DAYS: '7'
  PROMPTLEDGER_EXPORT_HOURS: '24'
  PROMPTLEDGER_FORWARD_ENDPOINT: ''
  PROMPTLEDGER_FORWARD_HEADERS: ''
  PROMPTLEDGER_FORWARD_TEXTS: 'off'
  PROMPTLEDGER_GRANTS: 'off'
  PROMPTLEDGER_REFRESH_PRICES: 'off'
  PROMPTLEDGER_INVALID_COUNT: '12'
  PROMPTLEDGER_INVALID_RATIO: '0.5'
  PROMPTLEDGER_RATE_LIMIT: '1200'
  PROMPTLEDGER_CONNECT_SECONDS: '15'
  PROMPTLEDGER_API_CONNECT_SECONDS: '2'
  PROMPTLEDGER_PENDING_MINUTES: '60'
  PROMPTLEDGER_PURPOSE: 'recorded'
  PROMPTLEDGER_SCOPE: 'user_impersonation'
  PROMPTLEDGER_TENANT_ID: tenant().tenantId
  PROMPTLEDGER_WEBHOOKS: alertWebhooks
  PROMPTLEDGER_WEBHOOK_KEY: alertWebhookKey

  // The libraries below them: which of several identities, and where telemetry goes.
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  AZURE_CLIENT_ID: identityClientId
  OTEL_METRICS_EXPORTER: 'none'
  PYTHON_THREADPOOL_THREAD_COUNT: '8'
}
