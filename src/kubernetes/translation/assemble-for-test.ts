import assert from 'node:assert/strict'
import { readAgents } from '../agents/agents.ts'
import { readBackends } from '../backends/backends.ts'
import { readGateways } from '../gateways/gateways.ts'
import { readObjectsIn } from '../objects/object-files.ts'
import {
  createWorld,
  type DesiredStatus,
  defaultSettings,
  listAt,
  nothingObserved,
  type Observations,
  textAt,
  valueAt,
} from '../objects/objects.ts'
import type { Policies, PolicyEffect } from '../policies/policies.ts'
import type { PolicyPlace } from '../policies/policy-effect.ts'
import { readRoutes } from '../routes/routes.ts'
import { readUses } from '../targets/targets.ts'
import { assembleGateways } from './assemble.ts'

const settings = defaultSettings('1.0.0')

/** For tests: what assembling these objects gives; `effects` are those of policies by place, as `kind key part`. */
export function assemble(
  yaml: string,
  effects: Readonly<Record<string, Partial<PolicyEffect>>> = {},
  observed: Observations = nothingObserved,
) {
  const { objects, problems } = readObjectsIn(yaml, 'test', 'ns')
  assert.deepEqual(problems, [])
  const world = createWorld(objects)
  const policies = policiesOf(effects)
  const { gateways } = readGateways(world, settings)
  const routes = readRoutes(world, gateways, settings)
  const backends = readBackends(world, readUses(world, routes, settings), policies, observed)
  const agents = readAgents(world, backends)
  return assembleGateways({ world, gateways, routes, policies, backends, agents, settings, observed })
}

function policiesOf(effects: Readonly<Record<string, Partial<PolicyEffect>>>): Policies {
  const part = (place: PolicyPlace): string | undefined => {
    if (place.kind === 'gateway') return place.listener
    return place.kind === 'route' ? place.rule : undefined
  }
  return {
    at: (place) => ({
      closed: undefined,
      requestTimeout: undefined,
      server: {},
      ...effects[[place.kind, place.key, part(place)].filter((text) => text !== undefined).join(' ')],
    }),
    policed: new Set(),
    statuses: [],
    wanted: [],
  }
}

export type Assembled = ReturnType<typeof assemble>

/** The Config of a Gateway. */
export function documentOf({ plans }: Assembled, gateway = 'ns/gw'): unknown {
  return plans.find(({ namespace, name }) => `${namespace}/${name}` === gateway)?.document
}

/** The backends that the rules of a route lead to. */
export function ledTo(assembled: Assembled, route = 'ns/r'): readonly unknown[] {
  const found = listAt(documentOf(assembled), 'routes').find((one) => valueAt(one, 'name') === route)
  return listAt(found, 'rules').map((rule) => listAt(rule, 'backends')[0])
}

/** What the status of an object should say. */
export function statusOf({ statuses }: Assembled, kind: string, name: string): DesiredStatus | undefined {
  return statuses.find(({ object }) => object.kind === kind && object.metadata.name === name)
}

/** `Type=Status Reason` of each condition. */
export function conditionsOf(holder: unknown): readonly string[] {
  return listAt(holder, 'conditions').map((one) => `${textAt(one, 'type')}=${textAt(one, 'status')} ${textAt(one, 'reason')}`)
}

/** The conditions of a route at all its parents. */
export function routeConditions(assembled: Assembled, name = 'r'): readonly string[] {
  const status = statusOf(assembled, 'HTTPRoute', name)
  return status?.kind === 'entries' ? status.entries.flatMap(conditionsOf) : []
}

/** Of the Gateway that `gateway` writes. */
export function gatewayStatus(assembled: Assembled): unknown {
  const status = statusOf(assembled, 'Gateway', 'gw')
  return status?.kind === 'whole' ? status.status : undefined
}

/** The Gateway `ns/gw` as YAML. */
export const gateway = (listeners = '{ name: http, port: 80, protocol: HTTP }', more = ''): string => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, uid: "1", generation: 3 }
spec: { gatewayClassName: mcplex, listeners: [${listeners}]${more} }
`
/** An HTTPRoute as YAML. */
export const route = (spec: string, name = 'r', namespace = 'ns'): string => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${namespace}, generation: 7 }
spec: { ${spec} }
`
/** A Backend with one server as YAML. */
export const backend = (name: string, namespace = 'ns'): string => `---
apiVersion: gateway.kgateway.dev/v1alpha1
kind: Backend
metadata: { name: ${name}, namespace: ${namespace} }
spec: { type: MCP, mcp: { targets: [{ name: one, static: { host: one.example.com, port: 80 } }] } }
`
/** Of a rule: leads to the Backend `b`. */
export const toB = 'backendRefs: [{ group: gateway.kgateway.dev, kind: Backend, name: b }]'
/** Of a route: is on all listeners of `ns/gw`. */
export const attached = 'parentRefs: [{ name: gw }]'
