import assert from 'node:assert/strict'
import { fragmentErrors } from '../fragments/fragments.ts'
import { readGateways } from '../gateways/gateways.ts'
import { createWorld, defaultSettings, isRaw, listAt, nothingObserved, type Raw, textAt } from '../objects/objects.ts'
import type { Policies, PolicyEffect } from '../policies/policies.ts'
import type { PolicyPlace } from '../policies/policy-effect.ts'
import { readRoutes } from '../routes/routes.ts'
import { readUses } from '../targets/targets.ts'
import type { BackendView } from './backend-view.ts'
import { readBackends } from './read-backends.ts'

export const settings = defaultSettings('1.0.0')
export const object = (kind: string, apiVersion: string, key: string, rest: Raw, metadata: Raw = {}): Raw => {
  const [namespace, name] = key.split('/')
  return { apiVersion, kind, metadata: { ...metadata, name, namespace, generation: 3 }, ...rest }
}
export const backend = (targets: readonly unknown[], mcp: Raw = {}): Raw =>
  object('Backend', 'gateway.kgateway.dev/v1alpha1', 'ns/b', { spec: { type: 'MCP', mcp: { targets, ...mcp } } })
export const agentgatewayBackend = (targets: readonly unknown[], spec: Raw = {}, mcp: Raw = {}): Raw =>
  object('AgentgatewayBackend', 'agentgateway.dev/v1alpha1', 'ns/a', { spec: { mcp: { targets, ...mcp }, ...spec } })
export const target = (name: string, rest: Raw = {}): Raw => ({ name, static: { host: `${name}.example`, port: 80, ...rest } })
export const mcpPort = (name: string | undefined, port = 80, appProtocol = 'kgateway.dev/mcp'): Raw => ({ name, port, appProtocol })
export const service = (key: string, ports: readonly Raw[] = [mcpPort('http')], metadata: Raw = {}, spec: Raw = {}): Raw =>
  object('Service', 'v1', key, { spec: { ports, ...spec } }, metadata)
export const slice = (key: string, endpoints: unknown): Raw =>
  object(
    'EndpointSlice',
    'discovery.k8s.io/v1',
    `${key}-x1`,
    { endpoints },
    { labels: { 'kubernetes.io/service-name': key.split('/')[1] } },
  )
export const namespace = (name: string, labels: Raw = {}): Raw => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
export const up = [{ conditions: { ready: true } }]

export const noEffect: PolicyEffect = { closed: undefined, requestTimeout: undefined, server: {} }
/** Policies that come to this, by place as `kind key target`. */
export const policiesAt = (effects: Readonly<Record<string, Partial<PolicyEffect>>>): Policies => ({
  at: (place: PolicyPlace) => ({
    ...noEffect,
    ...effects[[place.kind, place.key, 'target' in place ? place.target : ''].join(' ').trim()],
  }),
  policed: new Set(),
  statuses: [],
  wanted: [],
})

/** The backends among these objects, as if a route led to each. */
export function read(objects: readonly unknown[], effects: Readonly<Record<string, Partial<PolicyEffect>>> = {}) {
  const world = createWorld(objects)
  const routes = readRoutes(world, readGateways(world, settings).gateways, settings)
  // As if a route led to each of them.
  const uses = { ...readUses(world, routes, settings), isServing: () => true }
  return readBackends(world, uses, policiesAt(effects), nothingObserved)
}

/** The same of the only one there is; its fragment is one that `config` takes. */
export function only(objects: readonly unknown[], effects?: Readonly<Record<string, Partial<PolicyEffect>>>): BackendView {
  const { all } = read(objects, effects)
  const [view] = all
  assert.equal(all.length, 1)
  assert.ok(view)
  if (view.fragment !== undefined) assert.deepEqual(fragmentErrors({ backends: { [view.name]: view.fragment } }), [])
  return view
}

/** `Type=Status Reason: message`, a line each. */
export function told({ status }: BackendView): readonly string[] {
  assert.equal(status.kind, 'whole')
  return listAt(status.kind === 'whole' ? status.status : {}, 'conditions').map((one) => {
    assert.equal(isRaw(one) && one['observedGeneration'], 3)
    return `${textAt(one, 'type')}=${textAt(one, 'status')} ${textAt(one, 'reason')}: ${textAt(one, 'message')}`
  })
}

export const good = (message: string): readonly string[] => [
  `Accepted=True Accepted: ${message}`,
  'ResolvedRefs=True ResolvedRefs: all references are resolved',
]
