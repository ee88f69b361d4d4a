// The single way in: TLS, the web application firewall, and answers passed on as they come.

import { Estate } from 'types.bicep'

@description('What every part of the estate has in common.')
param estate Estate

@description('Address in the subnet that callers from the organisation\'s own networks use; empty for none.')
param privateAddress string

@description('Availability zones of gateway and address; none for a region without.')
param zones array

@description('Fewest instances.')
@minValue(0)
@maxValue(125)
param minimumInstances int

@description('Most instances.')
@minValue(2)
@maxValue(125)
param maximumInstances int

@description('Identity that reads the certificate.')
param identityId string

@description('Address of the certificate as a secret of Key Vault, without its version so that renewals are followed.')
param certificateId string

@description('Host name of API Management\'s gateway.')
param backendHostName string

@description('Seconds that a call may take. Reasoning models answer late.')
@minValue(30)
@maxValue(3600)
param requestTimeoutSeconds int

@description('What the firewall does with a call that breaks a rule.')
@allowed([
  'Detection'
  'Prevention'
])
param firewallMode string

@description('Largest request body in KB that the firewall lets pass; images in prompts are large.')
@minValue(128)
@maxValue(2000)
param maximumBodyKB int

@description('Largest file in MB that the firewall lets pass: training files.')
@minValue(1)
@maxValue(4000)
param maximumFileMB int

@description('Calls a minute from one address after which it is held back.')
param callsPerMinute int

var name = 'agw-promptledger-${estate.suffix}'
// Fields of a body where people write freely. A question about SQL, a shell script to be explained, a page of HTML to be summed
// up: all of them look like attacks to the rules, and none reaches an interpreter behind the gateway. Names are the JSON paths
// as the firewall flattens them, so what begins with one of these is left out of the groups below, and only of those.
var freeText = [
  // chat completions and threads: texts, images as data URLs, tool results
  'messages'
  // responses, embeddings, moderations, speech
  'input'
  // completions and images
  'prompt'
  // system texts of responses and assistants
  'instructions'
  // schemas and descriptions of functions, which hold pieces of code
  'tools'
  // what assistants' tools gave back
  'tool_outputs'
  // stop sequences such as quotes, semicolons and comment signs
  'stop'
  // threads made together with a run
  'thread'
  // additional texts of a run
  'additional_instructions'
  'additional_messages'
  // other vendors: Gemini's contents and system texts, its batches and predictions, Cohere's texts
  'contents'
  'instances'
  'requests'
  'system'
  'texts'
]
// The groups that judge texts. Protocol rules, scanners, file inclusion by URL path and known vulnerabilities stay on everywhere.
var textGroupNames = [
  'FIX'
  'JAVA'
  'LFI'
  'MS-ThreatIntel-AppSec'
  'MS-ThreatIntel-SQLI'
  'NODEJS'
  'PHP'
  'RCE'
  'RFI'
  'SQLI'
  'XSS'
]
var textGroups = [for group in textGroupNames: {
  ruleGroupName: group
}]

// Callers across ExpressRoute or VPN reach the same listener's twin on an address of the network.
var hasPrivateAddress = !empty(privateAddress)
var publicFrontend = [
  {
    name: 'public'
    properties: {
      publicIPAddress: {
        id: address.id
      }
    }
  }
]
var privateFrontend = hasPrivateAddress ? [
  {
    name: 'private'
    properties: {
      privateIPAddress: privateAddress
      privateIPAllocationMethod: 'Static'
      subnet: {
        id: estate.subnetIds.applicationGateway
      }
    }
  }
] : []
var doors = hasPrivateAddress ? [
  'public'
  'private'
] : [
  'public'
]

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: '${name}-ip'
  location: estate.location
  tags: estate.tags
  zones: zones
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    ddosSettings: {
      protectionMode: 'VirtualNetworkInherited'
    }
  }
}

resource firewall 'Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies@2024-05-01' = {
  // checkov:skip=CKV_AZURE_135: the default rule set 2.1 holds the Log4j rules; the check knows the older OWASP sets only
  name: '${name}-waf'
  location: estate.location
  tags: estate.tags
  properties: {
    policySettings: {
      state: 'Enabled'
      mode: firewallMode
      requestBodyCheck: true
      requestBodyEnforcement: true
      requestBodyInspectLimitInKB: 128
      maxRequestBodySizeInKb: maximumBodyKB
      fileUploadEnforcement: true
      fileUploadLimitInMb: maximumFileMB
    }
    customRules: [
      {
        name: 'HoldBackFloods'
        priority: 10
        ruleType: 'RateLimitRule'
        action: 'Block'
        rateLimitDuration: 'OneMin'
        rateLimitThreshold: callsPerMinute
        groupByUserSession: [
          {
            groupByVariables: [
              {
                variableName: 'ClientAddr'
              }
            ]
          }
        ]
        matchConditions: [
          {
            matchVariables: [
              {
                variableName: 'RequestUri'
              }
            ]
            operator: 'BeginsWith'
            matchValues: [
              '/'
            ]
          }
        ]
      }
    ]
    managedRules: {
      managedRuleSets: [
        {
          ruleSetType: 'Microsoft_DefaultRuleSet'
          ruleSetVersion: '2.1'
        }
        {
          ruleSetType: 'Microsoft_BotManagerRuleSet'
          ruleSetVersion: '1.1'
        }
      ]
      exclusions: [for field in freeText: {
        matchVariable: 'RequestArgValues'
        selectorMatchOperator: 'StartsWith'
        selector: field
        exclusionManagedRuleSets: [
          {
            ruleSetType: 'Microsoft_DefaultRuleSet'
            ruleSetVersion: '2.1'
            ruleGroups: textGroups
          }
        ]
      }]
    }
  }
}

resource gateway 'Microsoft.Network/applicationGateways@2024-05-01' = {
  name: name
  location: estate.location
  tags: estate.tags
  zones: zones
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    enableHttp2: true
    sku: {
      name: 'WAF_v2'
      tier: 'WAF_v2'
    }
    autoscaleConfiguration: {
      minCapacity: minimumInstances
      maxCapacity: maximumInstances
    }
    firewallPolicy: {
      id: firewall.id
    }
    // The firewall reads a request whole before it lets it pass. Answers go on piece by piece: a stream stays a stream.
    globalConfiguration: {
      enableRequestBuffering: true
      enableResponseBuffering: false
    }
    sslPolicy: {
      policyType: 'Predefined'
      policyName: 'AppGwSslPolicy20220101S'
    }
    sslCertificates: [
      {
        name: 'clients'
        properties: {
          keyVaultSecretId: certificateId
        }
      }
    ]
    gatewayIPConfigurations: [
      {
        name: 'default'
        properties: {
          subnet: {
            id: estate.subnetIds.applicationGateway
          }
        }
      }
    ]
    frontendIPConfigurations: concat(publicFrontend, privateFrontend)
    frontendPorts: [
      {
        name: 'https'
        properties: {
          port: 443
        }
      }
    ]
    backendAddressPools: [
      {
        name: 'api-management'
        properties: {
          backendAddresses: [
            {
              fqdn: backendHostName
            }
          ]
        }
      }
    ]
    probes: [
      {
        name: 'api-management'
        properties: {
          protocol: 'Https'
          // API Management's own health page: it asks no backend.
          path: '/status-0123456789abcdef'
          pickHostNameFromBackendHttpSettings: true
          interval: 30
          timeout: 30
          unhealthyThreshold: 3
          match: {
            statusCodes: [
              '200'
            ]
          }
        }
      }
    ]
    backendHttpSettingsCollection: [
      {
        name: 'api-management'
        properties: {
          protocol: 'Https'
          port: 443
          cookieBasedAffinity: 'Disabled'
          pickHostNameFromBackendAddress: true
          requestTimeout: requestTimeoutSeconds
          connectionDraining: {
            enabled: true
            drainTimeoutInSec: 300
          }
          probe: {
            id: resourceId('Microsoft.Network/applicationGateways/probes', name, 'api-management')
          }
        }
      }
    ]
    httpListeners: [for door in doors: {
      name: door
      properties: {
        protocol: 'Https'
        frontendIPConfiguration: {
          id: resourceId('Microsoft.Network/applicationGateways/frontendIPConfigurations', name, door)
        }
        frontendPort: {
          id: resourceId('Microsoft.Network/applicationGateways/frontendPorts', name, 'https')
        }
        sslCertificate: {
          id: resourceId('Microsoft.Network/applicationGateways/sslCertificates', name, 'clients')
        }
      }
    }]
    requestRoutingRules: [for (door, index) in doors: {
      name: door
      properties: {
        priority: 100 + index
        ruleType: 'Basic'
        httpListener: {
          id: resourceId('Microsoft.Network/applicationGateways/httpListeners', name, door)
        }
        backendAddressPool: {
          id: resourceId('Microsoft.Network/applicationGateways/backendAddressPools', name, 'api-management')
        }
        backendHttpSettings: {
          id: resourceId('Microsoft.Network/applicationGateways/backendHttpSettingsCollection', name, 'api-management')
        }
      }
    }]
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

@description('Resource id of the gateway.')
output id string = gateway.id

@description('Address that clients call: the organisation\'s DNS record points to it.')
output ipAddress string = address.properties.ipAddress
