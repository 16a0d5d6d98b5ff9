import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { readGateways } from '../gateways/gateways.ts'
import {
  createWorld,
  defaultSettings,
  isRaw,
  type KubeObject,
  listAt,
  namesFor,
  type Raw,
  rawAt,
  type Settings,
  textAt,
  valueAt,
} from '../objects/objects.ts'
import { provision } from './provision-gateway.ts'

const settings = defaultSettings('1.0.0')

const apiVersion = 'mcplex.dev/v1alpha1'
const parametersRef = { group: 'mcplex.dev', kind: 'GatewayParameters', name: 'p' }

/** With the parameters of the Gateway, and those of its class. */
function withParameters(own: Raw, ofClass: Raw = {}): readonly KubeObject[] {
  const defaults = { ...parametersRef, namespace: 'mcplex-system' }
  return provisioned('gw', { infrastructure: { parametersRef } }, {}, {}, [
    { apiVersion, kind: 'GatewayParameters', metadata: { name: 'p', namespace: 'ns' }, spec: own },
    { apiVersion, kind: 'GatewayParameters', metadata: { name: 'p', namespace: 'mcplex-system' }, spec: ofClass },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'mcplex' },
      spec: { controllerName: settings.controllerName, parametersRef: defaults },
    },
  ])
}

function provisioned(
  name: string,
  spec: Raw = {},
  document: Raw = {},
  changed: Partial<Settings> = {},
  beside: readonly KubeObject[] = [],
): readonly KubeObject[] {
  const all = { ...settings, ...changed }
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace: 'ns', uid: 'u' },
    spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }], ...spec },
  }
  const [gateway] = readGateways(createWorld([object, ...beside]), all).gateways
  assert.ok(gateway)
  assert.deepEqual(gateway.faults, [])
  return provision(gateway, document, all)
}

function named(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.find((object) => object.kind === kind)
  assert.ok(found)
  return found
}

test('names fit a Service, and different Gateways have different ones', () => {
  const long = 'a'.repeat(70)
  const short = ['a.b', 'a-b', '1', 'x1', 'gw', 'gw-peers', 'gw-peers-peers', 'g'.repeat(58)]
  const names = [long, `${long}b`, `${long}-peers`, ...short].map(namesFor)
  for (const { workload, config, peers } of names) {
    for (const name of [workload, config, peers]) assert.match(name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/)
  }
  const all = names.flatMap(Object.values)
  assert.equal(new Set(all).size, all.length)
  assert.deepEqual(namesFor('agentgateway'), { workload: 'agentgateway', config: 'agentgateway-mcplex', peers: 'agentgateway-peers' })
  assert.match(namesFor(long).workload, /^a{50}-[0-9a-f]{12}$/)
})

test('a document of more than 700 kB is packed, always into the same bytes', () => {
  const data = (size: number) => valueAt(named(provisioned('gw', {}, { text: 'x'.repeat(size) }), 'Secret'), 'data')
  assert.deepEqual(Object.keys(data(600_000) ?? {}), ['config.json'])
  const packed = data(800_000)
  assert.deepEqual(Object.keys(packed ?? {}), ['config.json.gz'])
  const text = gunzipSync(Buffer.from(textAt(packed, 'config.json.gz') ?? '', 'base64')).toString()
  assert.equal(JSON.parse(text).text.length, 800_000)
  assert.deepEqual(data(800_000), packed)
})

test('a port is there once, and only where a listener serves it', () => {
  const listeners = [
    { name: 'a', port: 80, protocol: 'HTTP' },
    { name: 'b', port: 80, protocol: 'HTTP', hostname: 'b.example.com' },
    { name: 'c', port: 8080, protocol: 'HTTP' },
    { name: 'd', port: 443, protocol: 'HTTPS' },
  ]
  const objects = provisioned('gw', { listeners })
  assert.deepEqual(
    listAt(named(objects, 'Service'), 'spec', 'ports').map((port) => valueAt(port, 'port')),
    [80, 8080],
  )
  // Another pod would be started for each change of its template.
  assert.deepEqual(named(objects, 'Deployment'), named(provisioned('gw'), 'Deployment'))
})

test("a Gateway's labels are added to everything, its annotations to what runs; they change none of ours", () => {
  const infrastructure = {
    labels: { team: 'a', 'app.kubernetes.io/managed-by': 'me', 'gateway.networking.k8s.io/gateway-name': 'other' },
    annotations: { note: 'b', 'mcplex.dev/version': '9' },
  }
  const objects = provisioned('gw', { infrastructure })
  for (const { metadata } of objects) {
    assert.equal(metadata.labels?.['team'], 'a')
    assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'mcplex.dev.controller')
    assert.equal(metadata.labels['gateway.networking.k8s.io/gateway-name'], 'gw')
  }
  assert.deepEqual(
    objects.flatMap(({ kind, metadata }) => (metadata.annotations?.['note'] === 'b' ? [kind] : [])),
    ['ServiceAccount', 'Deployment', 'Service', 'PodDisruptionBudget'],
  )
  // The Service for the pods among themselves is no way in, which others would give a name outside.
  const services = objects.filter(({ kind }) => kind === 'Service')
  assert.deepEqual(
    services.map(({ metadata: { name, annotations } }) => [name, annotations?.['note']]),
    [
      ['gw', 'b'],
      ['gw-peers', undefined],
    ],
  )
  assert.equal(named(objects, 'Secret').metadata.annotations?.['mcplex.dev/version'], '1.0.0')
  const pod = valueAt(named(objects, 'Deployment'), 'spec', 'template', 'metadata')
  assert.deepEqual([valueAt(pod, 'labels', 'team'), valueAt(pod, 'annotations', 'note')], ['a', 'b'])
})

test('what selects pods is on the pods, and stays as it is with another version, class or label', () => {
  const selectors = (objects: readonly KubeObject[]) => {
    const deployment = named(objects, 'Deployment')
    const selector = valueAt(deployment, 'spec', 'selector', 'matchLabels')
    for (const [key, value] of Object.entries(selector ?? {})) {
      assert.equal(valueAt(deployment, 'spec', 'template', 'metadata', 'labels', key), value)
    }
    for (const service of objects.filter(({ kind }) => kind === 'Service')) assert.deepEqual(valueAt(service, 'spec', 'selector'), selector)
    return selector
  }
  const before = selectors(provisioned('gw'))
  const changed = { version: '2.0.0+x', controllerName: 'example.com/other' }
  assert.deepEqual(
    selectors(provisioned('gw', { gatewayClassName: 'agentgateway', infrastructure: { labels: { a: 'b' } } }, {}, changed)),
    before,
  )
})

test('pods may read one Secret, that of their Gateway', () => {
  const objects = provisioned('gw')
  assert.deepEqual(named(objects, 'Role')['rules'], [
    { apiGroups: [''], resources: ['secrets'], resourceNames: [named(objects, 'Secret').metadata.name], verbs: ['get', 'list', 'watch'] },
  ])
})

test('everything belongs to its Gateway, once that is in a cluster', () => {
  const owner = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    name: 'gw',
    uid: 'u',
    controller: true,
    blockOwnerDeletion: false,
  }
  for (const { metadata } of provisioned('gw')) assert.deepEqual(metadata.ownerReferences, [owner])
})

const podOf = (objects: readonly KubeObject[]) => rawAt(named(objects, 'Deployment'), 'spec', 'template', 'spec')
const [containerOf, volumesOf] = [
  (objects: readonly KubeObject[]) => listAt(podOf(objects), 'containers')[0],
  (objects: readonly KubeObject[]) => listAt(podOf(objects), 'volumes'),
]
/** What clients reach. */
const serviceOf = (objects: readonly KubeObject[]) => rawAt(named(objects, 'Service'), 'spec')

/** Sysctls that are safe (Kubernetes, Using sysctls in a cluster). */
const safe = ['net.ipv4.ip_unprivileged_port_start']
/** Of the volumes that the restricted standard allows, those that are used. */
const allowedVolumes = ['emptyDir']

/** The Pod Security Standard "restricted", which holds all of "baseline", rule by rule: what must not be, or must be. */
const restricted: readonly (readonly [rule: string, isKept: (pod: Raw, container: unknown) => boolean])[] = [
  ['no host namespaces', (pod) => !['hostNetwork', 'hostPID', 'hostIPC'].some((name) => Object.hasOwn(pod, name))],
  ['not privileged', (_, container) => valueAt(container, 'securityContext', 'privileged') === undefined],
  ['no host paths, and no volumes but of allowed types', (pod) => listAt(pod, 'volumes').every(isOfAllowedType)],
  ['no host ports', (_, container) => listAt(container, 'ports').every((port) => valueAt(port, 'hostPort') === undefined)],
  ['probes of the pod itself', (_, container) => probesOf(container).every((probe) => valueAt(probe, 'httpGet', 'host') === undefined)],
  ['no hooks to other hosts', (_, container) => valueAt(container, 'lifecycle') === undefined],
  ['no other AppArmor profile', (pod, container) => noneSays('appArmorProfile', pod, container)],
  ['no SELinux options', (pod, container) => noneSays('seLinuxOptions', pod, container)],
  ['no other proc mount', (pod, container) => noneSays('procMount', pod, container)],
  ['no Windows host process', (pod, container) => noneSays('windowsOptions', pod, container)],
  ['safe sysctls alone', (pod) => listAt(pod, 'securityContext', 'sysctls').every((one) => safe.includes(textAt(one, 'name') ?? ''))],
  ['no escalation of privileges', (_, container) => valueAt(container, 'securityContext', 'allowPrivilegeEscalation') === false],
  ['not root', (pod, container) => valueAt(pod, 'securityContext', 'runAsNonRoot') === true && noneSays('runAsNonRoot', {}, container)],
  ['no user 0', (pod, container) => Number(valueAt(pod, 'securityContext', 'runAsUser')) > 0 && noneSays('runAsUser', {}, container)],
  ['a seccomp profile', (pod) => valueAt(pod, 'securityContext', 'seccompProfile', 'type') === 'RuntimeDefault'],
  ['no capabilities', (_, container) => isDeepStrictEqual(valueAt(container, 'securityContext', 'capabilities'), { drop: ['ALL'] })],
]

function isOfAllowedType(volume: unknown): boolean {
  return isRaw(volume) && Object.keys(volume).every((member) => member === 'name' || allowedVolumes.includes(member))
}

function probesOf(container: unknown): readonly unknown[] {
  return ['startupProbe', 'readinessProbe', 'livenessProbe'].map((name) => valueAt(container, name))
}

function noneSays(member: string, ...holders: readonly unknown[]): boolean {
  return holders.every((holder) => valueAt(holder, 'securityContext', member) === undefined)
}

describe("pods keep the Pod Security Standard 'restricted', whatever parameters say", () => {
  const all = withParameters({
    resources: { limits: { memory: '1Gi' } },
    nodeSelector: { a: 'b' },
    tolerations: [{ operator: 'Exists' }],
    priorityClassName: 'high',
    logLevel: 'debug',
  })
  for (const [rule, isKept] of restricted) {
    it(rule, () => {
      for (const objects of [provisioned('gw'), all]) {
        const { containers, ...others } = podOf(objects)
        assert.equal(listAt({ containers }, 'containers').length, 1)
        assert.deepEqual([others['initContainers'], others['ephemeralContainers']], [undefined, undefined])
        assert.ok(isKept(podOf(objects), containerOf(objects)))
      }
    })
  }

  it('and write to nothing but a volume in memory, where they keep what was last in force', () => {
    const objects = provisioned('gw')
    assert.equal(valueAt(containerOf(objects), 'securityContext', 'readOnlyRootFilesystem'), true)
    const [volume, ...others] = volumesOf(objects)
    assert.deepEqual([valueAt(volume, 'emptyDir', 'medium'), others], ['Memory', []])
    const [mount] = listAt(containerOf(objects), 'volumeMounts')
    assert.equal(valueAt(mount, 'name'), valueAt(volume, 'name'))
    const args = listAt(containerOf(objects), 'args')
    assert.equal(args[args.indexOf('--last-good') + 1], valueAt(mount, 'mountPath'))
  })
})

test('a pod that is told to stop has the time for its delay and its drain, and is not ready before the delay is over', () => {
  const objects = provisioned('gw')
  const args = listAt(containerOf(objects), 'args')
  const delay = Number(/^(\d+)s$/.exec(String(args[args.indexOf('--drain-delay') + 1]))?.[1])
  const drain = 25
  assert.ok(Number(valueAt(podOf(objects), 'terminationGracePeriodSeconds')) > delay + drain)
  const readiness = rawAt(containerOf(objects), 'readinessProbe')
  assert.ok(Number(readiness['periodSeconds']) * Number(readiness['failureThreshold']) < delay)
})

describe('parameters', () => {
  const autoscaling = { maxReplicas: 5 }
  const rows: readonly (readonly [
    what: string,
    own: Raw,
    ofClass: Raw,
    look: (objects: readonly KubeObject[]) => unknown,
    expected: unknown,
  ])[] = [
    ['say how many pods there are', { replicas: 3 }, {}, replicas, [3, undefined]],
    ['say nothing of that: whoever scales has the word', {}, {}, replicas, [undefined, undefined]],
    ['leave the number to an autoscaler', { autoscaling }, {}, replicas, [undefined, [1, 5]]],
    ['of a Gateway are before those of its class', { replicas: 3 }, { replicas: 2 }, replicas, [3, undefined]],
    ['of a class hold where a Gateway says nothing', { logLevel: 'warn' }, { replicas: 2 }, replicas, [2, undefined]],
    ['of a Gateway may replace the autoscaler of its class', { replicas: 3 }, { autoscaling }, replicas, [3, undefined]],
    ['of a Gateway may replace the number of its class by an autoscaler', { autoscaling }, { replicas: 2 }, replicas, [undefined, [1, 5]]],
    ['say what the Service is', { service: { type: 'ClusterIP' } }, {}, service, { type: 'ClusterIP' }],
    [
      'count whole: nothing of a class is mixed into a Service',
      { service: { type: 'ClusterIP' } },
      { service: { loadBalancerClass: 'a/b' } },
      service,
      { type: 'ClusterIP' },
    ],
    [
      'name the class of a load balancer',
      { service: { loadBalancerClass: 'a/b', externalTrafficPolicy: 'Local' } },
      {},
      service,
      { type: 'LoadBalancer', loadBalancerClass: 'a/b', externalTrafficPolicy: 'Local' },
    ],
    [
      'request resources, of which the others are as usual',
      { resources: { requests: { cpu: 1 } } },
      {},
      resources,
      { requests: { cpu: 1, memory: '128Mi' } },
    ],
    [
      'limit resources: what is limited alone is requested by the API server, and never more than the limit',
      { resources: { limits: { memory: '64Mi' } } },
      {},
      resources,
      { requests: { cpu: '100m' }, limits: { memory: '64Mi' } },
    ],
    [
      'say where pods run',
      { nodeSelector: { zone: 'a' }, tolerations: [{ key: 'x', operator: 'Exists' }], priorityClassName: 'high' },
      {},
      place,
      [{ zone: 'a' }, [{ key: 'x', operator: 'Exists' }], 'high'],
    ],
  ]
  for (const [what, own, ofClass, look, expected] of rows) {
    it(what, () => assert.deepEqual(look(withParameters(own, ofClass)), expected))
  }

  function replicas(objects: readonly KubeObject[]): unknown {
    const scaler = objects.find(({ kind }) => kind === 'HorizontalPodAutoscaler')
    const bounds = scaler && [valueAt(scaler, 'spec', 'minReplicas'), valueAt(scaler, 'spec', 'maxReplicas')]
    return [valueAt(named(objects, 'Deployment'), 'spec', 'replicas'), bounds]
  }
  function service(objects: readonly KubeObject[]): unknown {
    const { selector, ports, ...others } = serviceOf(objects)
    return others
  }
  function resources(objects: readonly KubeObject[]): unknown {
    return valueAt(containerOf(objects), 'resources')
  }
  function place(objects: readonly KubeObject[]): unknown {
    return ['nodeSelector', 'tolerations', 'priorityClassName'].map((name) => valueAt(podOf(objects), name))
  }

  it('are nowhere where nobody says any', () => {
    assert.deepEqual(
      withParameters({}),
      provisioned('gw', { infrastructure: { parametersRef } }, {}, {}, [
        { apiVersion, kind: 'GatewayParameters', metadata: { name: 'p', namespace: 'ns' }, spec: {} },
      ]),
    )
    assert.deepEqual(
      withParameters({}).map(({ kind }) => kind),
      provisioned('gw').map(({ kind }) => kind),
    )
  })
})

test('an autoscaler scales the Deployment, by the cpu that its pods request', () => {
  const objects = withParameters({ autoscaling: { minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 60 } })
  const { scaleTargetRef, metrics } = rawAt(named(objects, 'HorizontalPodAutoscaler'), 'spec')
  const deployment = named(objects, 'Deployment')
  assert.deepEqual(scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name })
  assert.deepEqual(metrics, [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } }])
  assert.ok(valueAt(containerOf(objects), 'resources', 'requests', 'cpu') !== undefined)
})
