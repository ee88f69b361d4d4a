// The door to the organisation's own sites: an ExpressRoute or VPN gateway in GatewaySubnet.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Kind of the gateway.')
@allowed([
  'ExpressRoute'
  'Vpn'
])
param gatewayType string

@description('Size of the gateway, such as ErGw2AZ or VpnGw2AZ: those that span availability zones. Empty for the least of its kind.')
param skuName string

var name = 'vgw-promptledger-${estate.suffix}'
// A size is of one kind alone, and the platform makes no VPN gateway of an ExpressRoute size.
var leastOfKind = gatewayType == 'Vpn' ? 'VpnGw1AZ' : 'ErGw1AZ'
var size = empty(skuName) ? leastOfKind : skuName

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: '${name}-ip'
  location: estate.location
  tags: estate.tags
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
  location: estate.location
  tags: estate.tags
  properties: {
    gatewayType: gatewayType
    vpnType: 'RouteBased'
    sku: {
      name: size
      tier: size
    }
    ipConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: {
            id: estate.subnetIds.gateway
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

resource addressLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: address
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
