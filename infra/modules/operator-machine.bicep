// The operator machine: a small Linux machine inside the network, on which infra/scripts/on-operator-machine runs what nobody can do
// from a desk. It has no public address and no way to sign in; its commands come through the management plane. It keeps nothing.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Size of the machine: x64, with encryption at host.')
param size string

@description('SSH public key, which the platform asks of every Linux machine without a password. Nobody signs in with it: the machine runs no SSH server.')
param publicKey string

@description('User whom the platform makes on every Linux machine; nobody signs in as that one either.')
param userName string = 'promptledger'

@description('Identity of the machine: resource id.')
param identityId string

@description('Identity of the machine: object id.')
param principalId string

@description('Vault that the machine imports the TLS certificate into: its name; empty where there is none.')
param vaultName string

@description('Let the machine set secrets of the vault too: other vendors\' keys.')
param setsSecrets bool

@description('Function app that the machine deploys: its name.')
param functionAppName string

@description('Time of day, as HHMM in UTC, at which the machine is shut down.')
param shutdownTime string = '2000'

var name = 'vm-promptledger-operator-${estate.suffix}'
var roles = loadJsonContent('../roles.json')

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = if (!empty(vaultName)) {
  name: vaultName
}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource importsCertificate 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(vaultName)) {
  name: guid(vault.id, principalId, 'keyVaultCertificatesOfficer')
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultCertificatesOfficer.id)
  }
}

resource setsKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (setsSecrets && !empty(vaultName)) {
  name: guid(vault.id, principalId, 'keyVaultSecretsOfficer')
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer.id)
  }
}

resource deploysApp 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(app.id, principalId, 'websiteContributor')
  scope: app
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.websiteContributor.id)
  }
}

resource card 'Microsoft.Network/networkInterfaces@2024-05-01' = {
  name: 'nic-${name}'
  location: estate.location
  tags: estate.tags
  properties: {
    enableIPForwarding: false
    ipConfigurations: [
      {
        name: 'operations'
        properties: {
          privateIPAllocationMethod: 'Dynamic'
          subnet: {
            id: estate.subnetIds.operations
          }
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2024-11-01' = {
  // checkov:skip=CKV_AZURE_50: commands come by an extension, and there is no other way in
  name: name
  location: estate.location
  tags: estate.tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    hardwareProfile: {
      vmSize: size
    }
    securityProfile: {
      encryptionAtHost: true
      securityType: 'TrustedLaunch'
      uefiSettings: {
        secureBootEnabled: true
        vTpmEnabled: true
      }
    }
    storageProfile: {
      imageReference: {
        publisher: 'Canonical'
        offer: 'ubuntu-24_04-lts'
        sku: 'server'
        version: 'latest'
      }
      osDisk: {
        name: 'disk-${name}'
        createOption: 'FromImage'
        deleteOption: 'Delete'
        diskSizeGB: 32
        managedDisk: {
          storageAccountType: 'StandardSSD_LRS'
        }
      }
    }
    osProfile: {
      computerName: 'operator'
      adminUsername: userName
      // Commands come by an extension.
      allowExtensionOperations: true
      linuxConfiguration: {
        disablePasswordAuthentication: true
        provisionVMAgent: true
        patchSettings: {
          assessmentMode: 'AutomaticByPlatform'
          patchMode: 'AutomaticByPlatform'
          automaticByPlatformSettings: {
            rebootSetting: 'IfRequired'
          }
        }
        ssh: {
          publicKeys: [
            {
              path: '/home/${userName}/.ssh/authorized_keys'
              keyData: publicKey
            }
          ]
        }
      }
    }
    // Read by cloud-init as custom data is, but, unlike it, it may differ in a later deployment.
    userData: base64(loadTextContent('../operator-machine.yaml'))
    networkProfile: {
      networkInterfaces: [
        {
          id: card.id
          properties: {
            deleteOption: 'Delete'
          }
        }
      ]
    }
    diagnosticsProfile: {
      bootDiagnostics: {
        enabled: true
      }
    }
  }
}

// For the day on which somebody forgets to deallocate it. The platform takes this name alone.
resource shutdown 'Microsoft.DevTestLab/schedules@2018-09-15' = {
  name: 'shutdown-computevm-${name}'
  location: estate.location
  tags: estate.tags
  properties: {
    status: 'Enabled'
    taskType: 'ComputeVmShutdownTask'
    dailyRecurrence: {
      time: shutdownTime
    }
    timeZoneId: 'UTC'
    targetResourceId: machine.id
    notificationSettings: {
      status: 'Disabled'
      timeInMinutes: 30
    }
  }
}

@description('Name of the machine.')
output name string = machine.name
