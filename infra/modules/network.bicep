// The virtual network: one subnet and one network security group per tier. Nothing but the gateway's subnet hears the internet.

@description('Name of the virtual network.')
param name string

@description('Region of the network.')
param location string

@description('Tags of all its resources.')
param tags object

@description('`open` makes the functions\' subnet alone, with service endpoints in place of private ones.')
@allowed([
  'open'
  'private'
])
param isolation string

@description('Address space of the network.')
param addressPrefix string

@description('Address prefixes of the subnets: an object with a property for each of applicationGateway, apiManagement, privateEndpoints, functions, operations and gateway.')
param subnetPrefixes object

@description('Service that the API Management subnet is delegated to; empty for the classic tiers, which are injected without.')
param apiManagementDelegation string

@description('Where clients may call Application Gateway from: address prefixes or service tags.')
param clientPrefixes array

@description('Make a GatewaySubnet for ExpressRoute or VPN.')
param deployGatewaySubnet bool

@description('DNS servers of the network, such as a resolver of the hub; none means the platform\'s own.')
param dnsServers array

@description('Log Analytics workspace for the network\'s logs.')
param logAnalyticsWorkspaceId string

var isOpen = isolation == 'open'
// A rule for each: the platform takes a service tag such as Internet by itself only, never in a list.
var allowClients = [for (prefix, index) in clientPrefixes: {
  name: 'allow-clients-${index}'
  properties: {
    description: 'Clients call over TLS, from where the organisation says.'
    priority: 200 + index
    direction: 'Inbound'
    access: 'Allow'
    protocol: 'Tcp'
    sourceAddressPrefix: prefix
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '443'
  }
}]
var denyInternet = {
  name: 'deny-internet'
  properties: {
    description: 'Nothing of the internet comes in here.'
    priority: 4000
    direction: 'Inbound'
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: 'Internet'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

resource applicationGatewayRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = if (!isOpen) {
  name: 'nsg-application-gateway'
  location: location
  tags: tags
  properties: {
    securityRules: concat(allowClients, [
      {
        name: 'allow-gateway-manager'
        properties: {
          description: 'The platform manages Application Gateway v2 over these ports and refuses a subnet that closes them.'
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'GatewayManager'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '65200-65535'
        }
      }
      {
        name: 'allow-load-balancer'
        properties: {
          description: 'Probes of the platform.'
          priority: 120
          direction: 'Inbound'
          access: 'Allow'
          protocol: '*'
          sourceAddressPrefix: 'AzureLoadBalancer'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
      denyInternet
    ])
  }
}

resource apiManagementRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = if (!isOpen) {
  name: 'nsg-api-management'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-network'
        properties: {
          description: 'Application Gateway and the organisation\'s own networks call the gateway.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '443'
        }
      }
      {
        name: 'allow-management'
        properties: {
          description: 'The control plane of the classic tiers.'
          priority: 110
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'ApiManagement'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '3443'
        }
      }
      {
        name: 'allow-load-balancer'
        properties: {
          description: 'Probes of the platform.'
          priority: 120
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'AzureLoadBalancer'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '6390'
        }
      }
      denyInternet
    ]
  }
}

resource privateEndpointRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = if (!isOpen) {
  name: 'nsg-private-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-network'
        properties: {
          description: 'HTTPS, AMQP over TLS, and SQL (11000-11999: redirected connections), from inside only.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRanges: [
            '443'
            '1433'
            '5671'
            '11000-11999'
          ]
        }
      }
      {
        name: 'deny-rest'
        properties: {
          description: 'Private endpoints serve nothing else.'
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource functionsRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-functions'
  location: location
  tags: tags
  properties: {
    securityRules: [
      denyInternet
    ]
  }
}

resource operationsRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = if (!isOpen) {
  name: 'nsg-operations'
  location: location
  tags: tags
  properties: {
    securityRules: [
      denyInternet
      {
        name: 'allow-web'
        properties: {
          description: 'Azure\'s management plane and packages: Ubuntu\'s come over plain HTTP, signed.'
          priority: 100
          direction: 'Outbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRanges: [
            '80'
            '443'
          ]
        }
      }
      {
        name: 'deny-rest-of-internet'
        properties: {
          description: 'Nothing else goes out.'
          priority: 4000
          direction: 'Outbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: 'Internet'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

var functionsSubnet = {
  name: 'functions'
  properties: {
    addressPrefix: subnetPrefixes.functions
    networkSecurityGroup: {
      id: functionsRules.id
    }
    serviceEndpoints: isOpen ? [
      {
        service: 'Microsoft.EventHub'
      }
      {
        service: 'Microsoft.Sql'
      }
      {
        service: 'Microsoft.Storage'
      }
    ] : null
    delegations: [
      {
        name: 'flex-consumption'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

var privateSubnets = [
  {
    name: 'application-gateway'
    properties: {
      addressPrefix: subnetPrefixes.applicationGateway
      networkSecurityGroup: {
        id: applicationGatewayRules.id
      }
    }
  }
  {
    name: 'api-management'
    properties: {
      addressPrefix: subnetPrefixes.apiManagement
      networkSecurityGroup: {
        id: apiManagementRules.id
      }
      delegations: empty(apiManagementDelegation) ? [] : [
        {
          name: 'api-management'
          properties: {
            serviceName: apiManagementDelegation
          }
        }
      ]
    }
  }
  {
    name: 'private-endpoints'
    properties: {
      addressPrefix: subnetPrefixes.privateEndpoints
      networkSecurityGroup: {
        id: privateEndpointRules.id
      }
      privateEndpointNetworkPolicies: 'Enabled'
    }
  }
  functionsSubnet
  {
    name: 'operations'
    properties: {
      addressPrefix: subnetPrefixes.operations
      // The way out of a machine without a public address. An organisation with an exit of its own brings its own network.
      defaultOutboundAccess: true
      networkSecurityGroup: {
        id: operationsRules.id
      }
    }
  }
]

// The platform allows no security group on GatewaySubnet.
var gatewaySubnets = deployGatewaySubnet ? [
  {
    name: 'GatewaySubnet'
    properties: {
      addressPrefix: subnetPrefixes.gateway
    }
  }
] : []

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    dhcpOptions: {
      dnsServers: dnsServers
    }
    // In the network's own list: subnets as resources of their own would be removed and made anew by every deployment.
    subnets: isOpen ? [
      functionsSubnet
    ] : concat(privateSubnets, gatewaySubnets)
  }
}

resource networkLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'log-analytics'
  scope: network
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

@description('Resource id of the virtual network.')
output id string = network.id
