import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWorld } from '../objects/objects.ts'
import { overDefaults, readParameters } from './gateway-parameters.ts'

const place = 'spec.infrastructure.parametersRef'
const ref = { group: 'mcplex.dev', kind: 'GatewayParameters', name: 'big' }

function read(spec: unknown, wished: unknown = ref, namespace: string | undefined = 'apps') {
  const object = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'GatewayParameters', metadata: { name: 'big', namespace: 'apps' }, spec }
  return readParameters(wished, place, namespace, createWorld([object]))
}

describe('a reference to parameters', () => {
  it('that is not there is none, and no fault', () => {
    assert.deepEqual(readParameters(undefined, place, undefined, createWorld([])), { parameters: {}, faults: [] })
  })

  const rows: readonly (readonly [what: string, ref: unknown, namespace: string | undefined, message: RegExp])[] = [
    [
      "of agentgateway's kind",
      { group: 'agentgateway.dev', kind: 'AgentgatewayParameters', name: 'big' },
      'apps',
      /^spec\.infrastructure\.parametersRef: AgentgatewayParameters \(agentgateway\.dev\) is not read by mcplex: write a GatewayParameters \(mcplex\.dev\)/,
    ],
    [
      "of kgateway's kind of that name",
      { ...ref, group: 'gateway.kgateway.dev' },
      'apps',
      /GatewayParameters \(gateway\.kgateway\.dev\) is not read/,
    ],
    ['of a core kind', { group: '', kind: 'ConfigMap', name: 'big' }, 'apps', /ConfigMap \(no group\) is not read by mcplex/],
    ['that is no object', 7, 'apps', /something without a kind/],
    [
      'to what is not there',
      { ...ref, name: 'small' },
      'apps',
      /there is no GatewayParameters apps\/small: create it, or leave the reference out/,
    ],
    ['to another namespace than its own', ref, 'other', /there is no GatewayParameters other\/big/],
    ['without a namespace where one is needed', ref, undefined, /parametersRef\.namespace is missing: write that of the GatewayParameters/],
  ]
  for (const [what, wished, namespace, message] of rows) {
    it(`${what} is a fault`, () => {
      const { parameters, faults } = readParameters(
        wished,
        place,
        namespace,
        createWorld([{ ...ref, metadata: { name: 'big', namespace: 'apps' } }]),
      )
      assert.deepEqual([parameters, faults.map(({ reason }) => reason)], [{}, ['InvalidParameters']])
      assert.match(faults[0]?.message ?? '', message)
    })
  }
})

const label = 'the name of a label, such as kubernetes.io/arch: correct it'
const resource =
  'a resource: write cpu, memory, ephemeral-storage, hugepages-SIZE, or the name of a device with its domain, such as example.com/card: correct it'

describe('what parameters say', () => {
  const good = {
    replicas: 0,
    resources: {
      requests: { cpu: '0.5', memory: '1e3', 'example.com/card': 1000e-3 },
      limits: { cpu: 1, memory: '2Gi', 'example.com/card': '1', 'hugepages-2Mi': '2Mi' },
    },
    nodeSelector: { 'kubernetes.io/arch': 'arm64', empty: '' },
    tolerations: [{ operator: 'Exists' }, { key: 'a', value: 'b', effect: 'NoExecute', tolerationSeconds: 3_000_000_000 }],
    priorityClassName: 'high',
    service: { type: 'NodePort', externalTrafficPolicy: 'Local' },
    logLevel: 'debug',
  }

  it('is taken as it is, but for what is null', () => {
    assert.deepEqual(read({ ...good, autoscaling: null }), { parameters: good, faults: [] })
    assert.deepEqual(read(undefined), { parameters: {}, faults: [] })
    assert.deepEqual(read({ service: { loadBalancerClass: 'a/b' } }).faults, [])
    assert.deepEqual(read({ autoscaling: { minReplicas: 3, maxReplicas: 3 } }).faults, [])
  })

  const rows: readonly (readonly [spec: object, ...texts: readonly string[]])[] = [
    [{ replica: 2 }, 'spec.replica is not known to this version of mcplex: leave it out'],
    [{ service: { nodePorts: [1] } }, 'spec.service.nodePorts is not known to this version of mcplex: leave it out'],
    [{ replicas: '2' }, 'spec.replicas is not a whole number from 0: correct it'],
    [{ replicas: 1.5 }, 'spec.replicas is not a whole number from 0: correct it'],
    [{ replicas: 2 ** 31 }, 'spec.replicas is not a whole number from 0: correct it'],
    [{ autoscaling: 3 }, 'spec.autoscaling is not a set of members: correct it'],
    [{ autoscaling: {} }, 'spec.autoscaling.maxReplicas is missing: write how many pods there may be'],
    [{ autoscaling: { minReplicas: 0, maxReplicas: 1 } }, 'spec.autoscaling.minReplicas is not a whole number from 1: correct it'],
    [
      { autoscaling: { minReplicas: 3, maxReplicas: 2 } },
      'spec.autoscaling: minReplicas 3 is more than maxReplicas 2: correct one of them',
    ],
    [{ replicas: 1, autoscaling: { maxReplicas: 2 } }, 'spec.replicas and spec.autoscaling: write one of them'],
    [
      { resources: { requests: { memory: '1 Gi', cpu: -1, 'ephemeral-storage': null } } },
      'spec.resources.requests.cpu is not a quantity such as 500m, 2 or 512Mi: correct it',
      'spec.resources.requests.ephemeral-storage is not a quantity such as 500m, 2 or 512Mi: correct it',
      'spec.resources.requests.memory is not a quantity such as 500m, 2 or 512Mi: correct it',
    ],
    [
      { resources: { requests: { gpus: '1' }, limits: { 'hugepages-': '1', 'a b/c': '1' } } },
      `spec.resources.requests.gpus: that is not ${resource}`,
      `spec.resources.limits.a b/c: that is not ${resource}`,
      `spec.resources.limits.hugepages-: that is not ${resource}`,
    ],
    [
      {
        resources: {
          requests: { 'example.com/card': '1', 'hugepages-2Mi': '4Mi', memory: '1Gi' },
          limits: { 'hugepages-2Mi': '2Mi', memory: '1G' },
        },
      },
      'spec.resources.limits.example.com/card is not what is requested of it: write the same for both',
      'spec.resources.limits.hugepages-2Mi is not what is requested of it: write the same for both',
      'spec.resources.requests.memory is more than its limit: correct one of them',
    ],
    [
      { nodeSelector: { ['a'.repeat(64)]: 'x', [`${'d'.repeat(254)}/a`]: 'x', 'a.b/': 'x', ok: 'v'.repeat(64) } },
      `spec.nodeSelector.a.b/: that is not ${label}`,
      `spec.nodeSelector.${'a'.repeat(64)}: that is not ${label}`,
      `spec.nodeSelector.${'d'.repeat(254)}/a: that is not ${label}`,
      'spec.nodeSelector.ok is not the value of a label: at most 63 letters, digits, inner hyphens, dots and underscores: correct it',
    ],
    [
      { tolerations: [{ key: `example.com/${'a'.repeat(64)}`, value: 'b' }, { key: 'a/b/c' }] },
      'spec.tolerations[0].key is not the key of a taint, such as example.com/dedicated: correct it',
      'spec.tolerations[1].key is not the key of a taint, such as example.com/dedicated: correct it',
    ],
    [{ tolerations: [{ key: 'a', tolerationSeconds: 1.5 }] }, 'spec.tolerations[0].tolerationSeconds is not a whole number: correct it'],
    [{ resources: { claims: [] } }, 'spec.resources.claims is not known to this version of mcplex: leave it out'],
    [
      { nodeSelector: { arch: 64 } },
      'spec.nodeSelector.arch is not the value of a label: at most 63 letters, digits, inner hyphens, dots and underscores: correct it',
    ],
    [{ tolerations: [{ key: 'a' }, 'b'] }, 'spec.tolerations[1] is not a set of members: correct it'],
    [{ tolerations: { key: 'a' } }, 'spec.tolerations is not a list: correct it'],
    [{ service: { type: 'ExternalName' } }, 'spec.service.type is not one of LoadBalancer, NodePort, ClusterIP: correct it'],
    [
      { service: { type: 'NodePort', loadBalancerClass: 'a/b' } },
      'spec.service.loadBalancerClass goes with type LoadBalancer, not NodePort: leave one of them out',
    ],
    [
      { service: { type: 'ClusterIP', externalTrafficPolicy: 'Local' } },
      'spec.service.externalTrafficPolicy goes with type LoadBalancer or NodePort, not ClusterIP: leave one of them out',
    ],
    [{ logLevel: 'trace' }, 'spec.logLevel is not one of debug, info, warn, error: correct it'],
  ]
  for (const [spec, ...texts] of rows) {
    it(`is refused: ${JSON.stringify(spec)}`, () => {
      const { parameters, faults } = read(spec)
      assert.deepEqual(
        [parameters, faults],
        [{}, texts.map((text) => ({ reason: 'InvalidParameters', message: `GatewayParameters apps/big: ${text}` }))],
      )
    })
  }
})

describe('parameters over those of the class', () => {
  it('count member by member, a number of pods and an autoscaler as one', () => {
    const autoscaling = { maxReplicas: 3 }
    assert.deepEqual(overDefaults({ logLevel: 'warn' }, { logLevel: 'info', replicas: 2 }), { logLevel: 'warn', replicas: 2 })
    assert.deepEqual(overDefaults({ autoscaling }, { replicas: 2, priorityClassName: 'a' }), { autoscaling, priorityClassName: 'a' })
    assert.deepEqual(overDefaults({ replicas: 2 }, { autoscaling }), { replicas: 2 })
  })
})
