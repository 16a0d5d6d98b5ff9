import assert from 'node:assert/strict'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, defaultSettings, listAt, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import { readRoutes } from '../routes/routes.ts'
import { readUses } from '../targets/targets.ts'
import type { Policies, PolicyPlace } from './policy-effect.ts'
import { readPolicies } from './read-policies.ts'

export const settings = { ...defaultSettings('1.0.0'), controllerName: 'mcplex.dev/controller' }
export const gatewayApi = 'gateway.networking.k8s.io'

export const object = (apiVersion: string, kind: string, name: string, spec: Raw, metadata: Raw = {}): Raw => ({
  apiVersion,
  kind,
  metadata: { namespace: 'a', name, ...metadata },
  spec,
})
export const listener = (name: string, port: number): Raw => ({ name, port, protocol: 'HTTP' })
export const gateway = (name: string, className = 'mcplex'): Raw =>
  object(`${gatewayApi}/v1`, 'Gateway', name, { gatewayClassName: className, listeners: [listener('http', 80), listener('other', 81)] })
export const route = (name: string, parents: readonly string[], backend: Raw, metadata?: Raw): Raw =>
  object(
    `${gatewayApi}/v1`,
    'HTTPRoute',
    name,
    { parentRefs: parents.map((parent) => ({ name: parent })), rules: [{ name: 'first', backendRefs: [backend] }] },
    metadata,
  )
export const backendRef = (name: string): Raw => ({ group: 'agentgateway.dev', kind: 'AgentgatewayBackend', name })
export const backend = (name: string, targets: readonly Raw[]): Raw =>
  object('agentgateway.dev/v1alpha1', 'AgentgatewayBackend', name, { mcp: { targets } })
export const service = (name: string): Raw => object('v1', 'Service', name, { ports: [{ port: 80 }] })

/** What stands in each of these worlds, all in the namespace `a`. */
export const cluster: readonly Raw[] = [
  gateway('gw'),
  gateway('theirs', 'nginx'),
  route('r', ['gw'], backendRef('b'), { labels: { team: 'x' } }),
  route('foreign', ['theirs'], backendRef('unused')),
  backend('b', [
    { name: 't', static: { backendRef: { name: 'math' }, port: 80 } },
    { name: 'u', static: { host: 'absent.a.svc.cluster.local', port: 80 } },
  ]),
  backend('unused', [{ name: 't', static: { backendRef: { name: 'idle' }, port: 80 } }]),
  service('math'),
  service('idle'),
  service('plain'),
]

export const groups: Readonly<Record<string, string>> = { Service: '', AgentgatewayBackend: 'agentgateway.dev' }
export const target = (kind: string, name: string, part: Raw = {}): Raw => ({ group: groups[kind] ?? gatewayApi, kind, name, ...part })
export const policy = (name: string, targetRefs: readonly Raw[], spec: Raw, more: Raw = {}): Raw => ({
  ...object('agentgateway.dev/v1alpha1', 'AgentgatewayPolicy', name, { targetRefs, ...spec }, { generation: 3 }),
  ...more,
})
export const aged = (year: number, one: Raw): Raw => {
  const metadata = one['metadata'] as Raw
  return { ...one, metadata: { ...metadata, creationTimestamp: `${year}-01-01T00:00:00Z` } }
}

/** What policies among these objects and those of `cluster` come to. */
export function read(...more: readonly unknown[]): Policies {
  const world = createWorld([...cluster, ...more])
  const { gateways } = readGateways(world, settings)
  const routes = readRoutes(world, gateways, settings)
  return readPolicies(world, gateways, routes, readUses(world, routes, settings), settings, nothingObserved)
}

/** `Accepted=True:Accepted` and so on, by policy and then by what the entry is for. */
export function statusesOf({ statuses }: Policies): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  return Object.fromEntries(
    statuses.map((status) => {
      assert.ok(status.kind === 'entries' && status.list === 'ancestors')
      const entries = status.entries.map((entry) => {
        assert.equal(entry['controllerName'], settings.controllerName)
        const ref = ['kind', 'namespace', 'name', 'sectionName'].flatMap((key) => textAt(entry, 'ancestorRef', key) ?? [])
        const conditions = listAt(entry, 'conditions').map(
          (one) => `${textAt(one, 'type')}=${textAt(one, 'status')}:${textAt(one, 'reason')}`,
        )
        return [ref.join(' '), conditions] as const
      })
      return [status.object.metadata.name, Object.fromEntries(entries)]
    }),
  )
}

/** The messages of a condition in all entries of a policy's status. */
export function messageOf({ statuses }: Policies, name: string, type: string): string {
  const found = statuses.find((status) => status.object.metadata.name === name)
  const entries = found?.kind === 'entries' ? found.entries : []
  const conditions = entries.flatMap((entry) => listAt(entry, 'conditions'))
  return conditions.flatMap((one) => (textAt(one, 'type') === type ? (textAt(one, 'message') ?? '') : [])).join('\n')
}

export const inForce = ['Accepted=True:Accepted', 'Attached=True:Attached']
export const refused = ['Accepted=False:Unsupported', 'Attached=False:Pending']
export const absent = ['Accepted=False:TargetNotFound', 'Attached=False:TargetNotFound']
export const timeout = { traffic: { timeouts: { request: '5s' } } }
export const basic = { traffic: { basicAuthentication: { users: [] } } }
export const tcp = { backend: { tcp: { connectTimeout: '1s' } } }

/** The places of `cluster` where a policy can hold. */
export const places: Readonly<Record<string, PolicyPlace>> = {
  gateway: { kind: 'gateway', key: 'a/gw' },
  listener: { kind: 'gateway', key: 'a/gw', listener: 'http' },
  'other listener': { kind: 'gateway', key: 'a/gw', listener: 'other' },
  route: { kind: 'route', key: 'a/r' },
  rule: { kind: 'route', key: 'a/r', rule: 'first' },
  backend: { kind: 'backend', key: 'a/b' },
  target: { kind: 'backend', key: 'a/b', target: 't' },
  service: { kind: 'service', key: 'a/math' },
}
