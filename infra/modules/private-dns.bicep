// Private DNS zones, each linked to the virtual network. An organisation with central zones deploys none of them.

@description('Names of the zones.')
param zoneNames array

@description('Tags of the zones.')
param tags object

@description('Virtual network that resolves names by these zones.')
param virtualNetworkId string

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zoneName in zoneNames: {
  name: zoneName
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zoneName, index) in zoneNames: {
  parent: zones[index]
  name: 'link-${uniqueString(virtualNetworkId)}'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: virtualNetworkId
    }
  }
}]

@description('Resource group of the zones.')
output resourceGroupId string = resourceGroup().id
