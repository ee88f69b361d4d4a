// One private endpoint with its record in the private DNS zones given. An estate that is open has none.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Name of the private endpoint.')
param name string

@description('Resource id of the service behind the endpoint.')
param serviceId string

@description('Sub-resource of the service, such as `blob` or `sqlServer`.')
param groupId string

@description('Resource ids of the private DNS zones that hold the record.')
param zoneIds array

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = if (estate.isolation == 'private') {
  name: name
  location: estate.location
  tags: estate.tags
  properties: {
    customNetworkInterfaceName: '${name}-nic'
    subnet: {
      id: estate.subnetIds.privateEndpoints
    }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: serviceId
          groupIds: [
            groupId
          ]
        }
      }
    ]
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = if (estate.isolation == 'private') {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [for (zoneId, index) in zoneIds: {
      name: 'zone-${index}'
      properties: {
        privateDnsZoneId: zoneId
      }
    }]
  }
}
