// The instances behind API Management: one backend each, a pool for calls that any of them can serve, and one for those that
// only the instance that keeps the state can.

@description('Name of the API Management service.')
param serviceName string

@description('Instances: objects with `name`, `endpoint`, `priority` (1 is tried first) and `weight` (share among equals). The first keeps the state.')
param instances array

@description('Seconds for which an instance that failed is left alone, unless it says how long itself.')
param tripSeconds int = 60

var iso = 'PT${tripSeconds}S'

resource service 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: serviceName
}

resource backends 'Microsoft.ApiManagement/service/backends@2024-05-01' = [for instance in instances: {
  parent: service
  name: 'azure-openai-${instance.name}'
  properties: {
    type: 'Single'
    protocol: 'http'
    description: 'Azure OpenAI instance ${instance.name}.'
    url: '${instance.endpoint}openai'
    tls: {
      validateCertificateChain: true
      validateCertificateName: true
    }
    // 429 and 5xx are the instance's own trouble; a 4xx is the caller's, and takes no instance out.
    circuitBreaker: {
      rules: [
        {
          name: 'overload'
          acceptRetryAfter: true
          tripDuration: iso
          failureCondition: {
            count: 3
            interval: 'PT1M'
            statusCodeRanges: [
              {
                min: 429
                max: 429
              }
              {
                min: 500
                max: 599
              }
            ]
          }
        }
      ]
    }
  }
}]

resource pool 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: service
  name: 'openai-pool'
  #disable-next-line BCP035 // a pool has neither url nor protocol; its type asks for both all the same
  properties: {
    type: 'Pool'
    description: 'Stateless operations: any instance, by priority and weight.'
    pool: {
      services: [for (instance, index) in instances: {
        id: backends[index].id
        priority: instance.priority
        weight: instance.weight
      }]
    }
  }
}

// Files, assistants, fine-tuning and batches live in one instance: no pool, and no breaker that would send them elsewhere.
resource primary 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: service
  name: 'openai-primary'
  properties: {
    type: 'Single'
    protocol: 'http'
    description: 'Stateful operations: the one instance that keeps the state.'
    url: '${instances[0].endpoint}openai'
    tls: {
      validateCertificateChain: true
      validateCertificateName: true
    }
  }
}
