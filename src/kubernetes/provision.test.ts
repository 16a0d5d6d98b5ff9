import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { defaultSettings } from './default-settings.ts'
import { readGateways } from './gateways.ts'
import type { KubeObject, Raw, Settings } from './model.ts'
import { provision } from './provision.ts'
import { namesFor } from './provisioned-names.ts'
import { listAt, textAt, valueAt } from './raw.ts'
import { createWorld } from './world.ts'

const settings = defaultSettings('1.0.0')

function provisioned(name: string, spec: Raw = {}, document: Raw = {}, changed: Partial<Settings> = {}): readonly KubeObject[] {
  const all = { ...settings, ...changed }
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace: 'ns', uid: 'u' },
    spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }], ...spec },
  }
  const [gateway] = readGateways(createWorld([object]), all).gateways
  assert.ok(gateway)
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
  const [container] = listAt(named(objects, 'Deployment'), 'spec', 'template', 'spec', 'containers')
  assert.deepEqual(
    listAt(container, 'ports').map((port) => valueAt(port, 'containerPort')),
    [80, 8080, 15_000, 15_001, 15_021],
  )
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
    ['ServiceAccount', 'Deployment', 'Service', 'Service', 'PodDisruptionBudget'],
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
