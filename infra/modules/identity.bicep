// A user-assigned identity: it outlives the resource that uses it, so roles can be granted before that resource exists.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Whose it is: part of its name.')
param purpose string

var name = 'id-promptledger-${purpose}-${estate.suffix}'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: estate.location
  tags: estate.tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Name of the identity: also the name of its user in the database.')
output name string = identity.name

@description('Object id, for role assignments.')
output principalId string = identity.properties.principalId

@description('Client id, for those who must say which of several identities they are.')
output clientId string = identity.properties.clientId
