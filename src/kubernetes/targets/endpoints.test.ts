import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWorld, type Raw, readObject } from '../objects/objects.ts'
import { createServices } from '../services/services.ts'
import { readTargets } from './read-targets.ts'

const service = (key: string, spec: Raw = {}): Raw => {
  const [namespace, name] = key.split('/')
  const ports = [{ name: 'mcp', port: 80, appProtocol: 'kgateway.dev/mcp' }]
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec: { ports, ...spec } }
}
/** Of the Service, with a pod for each address; `!` before it: one that is not ready. */
const slice = (key: string, addresses: readonly string[]): Raw => {
  const [namespace, name] = key.split('/')
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'mcp', port: 8000 }],
    endpoints: addresses.map((one) => ({ addresses: [one.replace('!', '')], conditions: { ready: !one.startsWith('!') } })),
  }
}
const ways: Readonly<Record<string, Raw>> = {
  host: { name: 'x', static: { host: 's.ns.svc', port: 80, path: '/p' } },
  'short host': { name: 'x', static: { host: 's', port: 80, path: '/p' } },
  backendRef: { name: 'x', static: { backendRef: { name: 's' }, port: 80, path: '/p' } },
  selector: { name: 'x', selector: { services: {} } },
}

/** The servers that a target of a backend in `ns` asks for, and `cost: message` of what is said of it. */
function read(target: Raw, objects: readonly unknown[]) {
  const backend = readObject({
    apiVersion: 'agentgateway.dev/v1alpha1',
    kind: 'AgentgatewayBackend',
    metadata: { namespace: 'ns', name: 'b' },
    spec: { mcp: { targets: [target] } },
  })
  assert.ok(backend)
  const world = createWorld(objects)
  const { candidates, findings } = readTargets(backend, { services: createServices(world, 'cluster.local'), world, searched: ['edge'] })
  return { http: candidates.map(({ http }) => http), said: findings.map(({ costs, message }) => `${costs}: ${message}`) }
}

test('a server behind a Service has the addresses of its pods, however a target names it, and keeps its host, port and path', () => {
  for (const [way, target] of Object.entries(ways)) {
    const {
      http: [http, ...others],
      said,
    } = read(target, [service('ns/s'), slice('ns/s', ['10.1.0.2', '10.1.0.1', '!10.1.0.3'])])
    assert.deepEqual(others, [])
    assert.deepEqual(said, [], way)
    const { endpoints, ...rest } = http ?? {}
    assert.deepEqual(endpoints, ['10.1.0.1:8000', '10.1.0.2:8000'], way)
    assert.deepEqual([rest], read(target, [service('ns/s')]).http, way)
  }
})

test('without a pod that is ready it has its host alone', () => {
  for (const [way, target] of Object.entries(ways)) {
    const without = read(target, [service('ns/s')])
    assert.deepEqual(without.said, [])
    for (const slices of [[slice('ns/s', ['!10.1.0.1'])], [slice('ns/s', [])], [slice('ns/other', ['10.1.0.1'])]]) {
      const { http, said } = read(target, [service('ns/s'), ...slices])
      assert.deepEqual(http, without.http, way)
      assert.equal(said.length, 1)
      assert.match(said[0] ?? '', /^nothing: spec\.mcp\.targets\[0\]\S*: no pod of Service ns\/s is ready/)
    }
  }
})

test('a Service whose slices list an address that no pod has is left out, as its own name leads there too', () => {
  const near = { ...ways, 'host in the namespace of a Gateway': { name: 'x', static: { host: 'far', port: 80 } } }
  for (const [way, target] of Object.entries(near)) {
    for (const addresses of [['10.1.0.1', '169.254.169.254'], ['!169.254.169.254']]) {
      const key = way.includes('Gateway') ? 'edge/far' : 'ns/s'
      const { http, said } = read(target, [service(key), slice(key, addresses)])
      assert.deepEqual(http, [], way)
      const left = `: an EndpointSlice of Service ${key} lists 169.254.169.254, which is no pod's: take it out there`
      assert.ok(
        said.some((one) => one.startsWith('part: spec.mcp.targets[0]') && one.endsWith(left)),
        `${way}: ${said}`,
      )
    }
  }
})

test('of many pods the first 64 are used, and that is said', () => {
  const addresses = Array.from({ length: 65 }, (_, index) => `10.1.0.${index + 100}`)
  for (const [way, target] of Object.entries(ways)) {
    const few = read(target, [service('ns/s'), slice('ns/s', addresses.slice(0, 64))])
    assert.deepEqual(few.said, [], way)
    const many = read(target, [service('ns/s'), slice('ns/s', addresses.toReversed())])
    assert.deepEqual(many.http, few.http, way)
    assert.match(many.said.join(), /^nothing: spec\.mcp\.targets\[0\]\S*: of the ready pods of Service ns\/s only 64 are used: [^,]*$/)
  }
})

test('what is outside, or one pod alone, has no addresses', () => {
  const slices = [slice('ns/s', ['10.1.0.1'])]
  for (const host of ['s.example', 's-0.s.ns.svc', '192.0.2.7']) {
    const { http } = read({ name: 'x', static: { host, port: 80 } }, [service('ns/s', { externalIPs: ['192.0.2.7'] }), ...slices])
    assert.deepEqual(http, [{ host, port: 80 }])
  }
  const { http, said } = read(ways['host'] ?? {}, [service('ns/s', { type: 'ExternalName', externalName: 's.example' }), ...slices])
  assert.deepEqual(http, [])
  assert.match(said.join(), /is an ExternalName/)
})
