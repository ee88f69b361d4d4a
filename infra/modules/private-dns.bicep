// Private DNS zones, each linked to the virtual network. Of an organisation with central zones it makes none, and names them.

import { ZoneIds } from 'types.bicep'

@description('Tags of the zones.')
param tags object

@description('Virtual network that resolves names by these zones.')
param virtualNetworkId string

@description('Resource group that holds the zones already: its resource id. Empty makes them here.')
param existingZonesId string

@description('Services, by their names below, that have no private endpoint here and so need no zone.')
param withoutZones array = []

var zoneNames = {
  apiManagement: 'privatelink.azure-api.net'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  cosmos: 'privatelink.documents.azure.com'
  eventHubs: 'privatelink.servicebus.windows.net'
  monitor: 'privatelink.monitor.azure.com'
  monitorAgents: 'privatelink.agentsvc.azure-automation.net'
  monitorIngestion: 'privatelink.ods.opinsights.azure.com'
  monitorManagement: 'privatelink.oms.opinsights.azure.com'
  openAI: 'privatelink.openai.azure.com'
  sites: 'privatelink.azurewebsites.net'
  sql: 'privatelink${environment().suffixes.sqlServerHostname}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
}
var makesZones = empty(existingZonesId)
var allZoneNames = [for zone in items(zoneNames): zone.value]
var needed = [for zone in items(zoneNames): !contains(withoutZones, zone.key)]
var zonesId = '${makesZones ? resourceGroup().id : existingZonesId}/providers/Microsoft.Network/privateDnsZones'

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for (zoneName, index) in allZoneNames: if (makesZones && needed[index]) {
  name: zoneName
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zoneName, index) in allZoneNames: if (makesZones && needed[index]) {
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

@description('Resource ids of the zones, by the service whose names they hold.')
output zoneIds ZoneIds = {
  apiManagement: '${zonesId}/${zoneNames.apiManagement}'
  blob: '${zonesId}/${zoneNames.blob}'
  cosmos: '${zonesId}/${zoneNames.cosmos}'
  eventHubs: '${zonesId}/${zoneNames.eventHubs}'
  monitor: '${zonesId}/${zoneNames.monitor}'
  monitorAgents: '${zonesId}/${zoneNames.monitorAgents}'
  monitorIngestion: '${zonesId}/${zoneNames.monitorIngestion}'
  monitorManagement: '${zonesId}/${zoneNames.monitorManagement}'
  openAI: '${zonesId}/${zoneNames.openAI}'
  sites: '${zonesId}/${zoneNames.sites}'
  sql: '${zonesId}/${zoneNames.sql}'
  table: '${zonesId}/${zoneNames.table}'
  vault: '${zonesId}/${zoneNames.vault}'
}
