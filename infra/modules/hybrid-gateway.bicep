// The door to the organisation's own sites: an ExpressRoute or VPN gateway in GatewaySubnet.

@description('Name of the gateway.')
param name string

@description('Region of the gateway.')
param location string

@description('Tags of the gateway and its address.')
param tags object

@description('Kind of the gateway.')
@allowed([
  'ExpressRoute'
  'Vpn'
])
param gatewayType string

@description('Size of the gateway, such as ErGw1AZ or VpnGw2AZ: the ones that span availability zones.')
param skuName string

@description('The subnet named GatewaySubnet.')
param subnetId string

@description('Log Analytics workspace for the gateway\'s logs.')
param logAnalyticsWorkspaceId string

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: '${name}-ip'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  zones: [
    '1'
    '2'
    '3'
  ]
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource gateway 'Microsoft.Network/virtualNetworkGateways@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    gatewayType: gatewayType
    vpnType: 'RouteBased'
    sku: {
      name: skuName
      tier: skuName
    }
    ipConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: {
            id: subnetId
          }
          publicIPAddress: {
            id: address.id
          }
        }
      }
    ]
  }
}

resource gatewayLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: gateway
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

resource addressLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: address
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
