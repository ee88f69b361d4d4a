// Who writes telemetry: the component takes it from these identities only.

@description('Name of the Application Insights component.')
param componentName string

@description('Object ids of the identities that write telemetry.')
param publisherPrincipalIds array

var roles = loadJsonContent('../roles.json')

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for principalId in publisherPrincipalIds: {
  name: guid(component.id, principalId, 'monitoringMetricsPublisher')
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringMetricsPublisher.id)
  }
}]
