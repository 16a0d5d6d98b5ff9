import {
  byName,
  type KubeObject,
  nameKey,
  type ObjectRef,
  type Observations,
  rawAt,
  refKey,
  refOf,
  textAt,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { Policies } from '../policies/policies.ts'
import type { Uses } from '../targets/targets.ts'
import type { BackendView } from './backend-view.ts'
import { readBackend } from './read-backend.ts'

/** The backends for MCP. */
export interface Backends {
  readonly all: readonly BackendView[]
  /** The backends whose status this controller writes: those that something of ours leads to, and those that no controller uses. */
  readonly told: readonly BackendView[]
  /** The backend of a reference; undefined where there is none, or one that is not for MCP. */
  find(ref: ObjectRef): BackendView | undefined
  /** Secrets and ConfigMaps that the backends refer to. */
  readonly wanted: readonly ObjectRef[]
}

/** Reads the Backends of type MCP and the AgentgatewayBackends with `mcp`. */
export function readBackends(world: World, uses: Uses, policies: Policies, observed: Observations): Backends {
  const ours = world.all('gateway.kgateway.dev', 'Backend').filter(isOfTypeMcp)
  const others = world.all('agentgateway.dev', 'AgentgatewayBackend').filter((object) => valueAt(object, 'spec', 'mcp') !== undefined)
  const names = namesOf(ours, others)
  const readings = [...names].map(([object, name]) => readBackend(object, name, { world, uses, policies, observed }))
  const byKey = new Map(readings.map(({ view }) => [refKey(view.ref), view]))
  return {
    all: readings.map(({ view }) => view),
    told: readings.flatMap(({ view }) =>
      uses.isServing(view.ref) || (uses.isIdle(view.ref) && uses.isUntouched(view.status.object)) ? [view] : [],
    ),
    find: (ref) => byKey.get(refKey(ref)),
    wanted: readings.flatMap(({ wanted }) => wanted),
  }
}

function isOfTypeMcp(object: KubeObject): boolean {
  const type = textAt(object, 'spec', 'type')
  return type === 'MCP' || (type === undefined && Object.keys(rawAt(object, 'spec', 'mcp')).length > 0)
}

/** The names of backends in documents: `ns/name`, with an ending for an AgentgatewayBackend where a Backend has the same. */
function namesOf(ours: readonly KubeObject[], others: readonly KubeObject[]): ReadonlyMap<KubeObject, string> {
  const names = new Map<KubeObject, string>()
  const taken = new Set<string>()
  const keyOf = (object: KubeObject): string => nameKey(refOf(object))
  const take = (object: KubeObject, name: string): void => {
    names.set(object, name)
    taken.add(name)
  }
  for (const object of ours) take(object, keyOf(object))
  const second = others.filter((object) => taken.has(keyOf(object)))
  for (const object of others) if (!second.includes(object)) take(object, keyOf(object))
  for (const object of [...second].sort(byName)) {
    let name = `${keyOf(object)}.agentgatewaybackend`
    while (taken.has(name)) name += '.agentgatewaybackend'
    take(object, name)
  }
  return names
}
