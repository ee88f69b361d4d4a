// The name of an injected API Management service, inside the network.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Host name of the gateway, which becomes a zone of its own: other services of that domain stay as they are.')
param zoneName string

@description('Private addresses of the service.')
param addresses array

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: estate.tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'link-${uniqueString(estate.networkId)}'
  location: 'global'
  tags: estate.tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: estate.networkId
    }
  }
}

resource record 'Microsoft.Network/privateDnsZones/A@2024-06-01' = {
  parent: zone
  name: '@'
  properties: {
    ttl: 300
    aRecords: [for address in addresses: {
      ipv4Address: address
    }]
  }
}
