// Types that modules share: what travels through all of them together.

@export()
@description('What every part of the estate has in common: where it stands, how its name ends, whom it tells its logs.')
type Estate = {
  @description('Region of the network and of all that names no other.')
  location: string

  @description('Tags of every resource.')
  tags: object

  @description('End of names that may hold hyphens: the environment and the token.')
  suffix: string

  @description('What makes names of this resource group unlike those of others: 13 lower-case letters and digits.')
  token: string

  @description('Log Analytics workspace that takes everybody\'s logs: its resource id.')
  workspaceId: string

  @description('Virtual network: its resource id.')
  networkId: string

  @description('`private`: all is reached through private endpoints alone. `open`: through public endpoints that let in the functions\' subnet and networks that are named, and of these whom Entra knows.')
  isolation: 'open' | 'private'

  @description('Subnets: their resource ids. In the open isolation there is that of the functions only.')
  subnetIds: {
    apiManagement: string
    applicationGateway: string
    functions: string
    gateway: string
    operations: string
    privateEndpoints: string
  }

  @description('Private DNS zones: their resource ids.')
  zoneIds: ZoneIds
}

@export()
@description('Private DNS zones by the service whose names they hold: their resource ids.')
type ZoneIds = {
  apiManagement: string
  blob: string
  cosmos: string
  eventHubs: string
  monitor: string
  monitorAgents: string
  monitorIngestion: string
  monitorManagement: string
  openAI: string
  sites: string
  sql: string
  table: string
  vault: string
}

@export()
@description('The two hubs that the app reads.')
type Hubs = {
  @description('Namespace of both: its resource id.')
  namespaceId: string

  @description('Host name of the namespace.')
  hostName: string

  @description('Hub of the API Management policy\'s events.')
  gatewayHubName: string

  @description('Hub of the diagnostic settings\' logs.')
  monitorHubName: string

  @description('The app\'s own consumer group on both.')
  consumerGroupName: string

  @description('Rule that diagnostic settings name; an id, not a key.')
  monitorRuleId: string
}
