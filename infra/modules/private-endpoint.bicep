// One private endpoint with its record in the private DNS zones given.

@description('Name of the private endpoint.')
param name string

@description('Region of the virtual network, which may differ from that of the service.')
param location string

@description('Tags of the private endpoint.')
param tags object

@description('Subnet that the endpoint takes its address from.')
param subnetId string

@description('Resource id of the service behind the endpoint.')
param serviceId string

@description('Sub-resource of the service, such as `blob` or `sqlServer`.')
param groupId string

@description('Resource ids of the private DNS zones that hold the record.')
param zoneIds array

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    customNetworkInterfaceName: '${name}-nic'
    subnet: {
      id: subnetId
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

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
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
