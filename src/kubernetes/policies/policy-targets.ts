import type { PolicyFault, policyFields } from '../fields/fields.ts'
import type { GatewayView } from '../gateways/gateways.ts'
import {
  type Fault,
  isSelected,
  type KubeObject,
  listAt,
  nameKey,
  numberAt,
  type ObjectRef,
  type Raw,
  refKey,
  refOf,
  selectorFault,
  textAt,
  titleOf,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'
import type { Uses } from '../targets/targets.ts'
import type { PolicyPlace } from './policy-effect.ts'

/** The kinds of objects that a policy can target. */
export type TargetKind = keyof typeof policyFields

/** One object, or a part of it, that a policy targets. */
export interface PolicyTarget {
  readonly kind: TargetKind
  readonly ref: ObjectRef
  /** The places where the policy holds; none where the object or its part does not exist. */
  readonly places: readonly PolicyPlace[]
  /** The ancestors in its status; none where the target is not ours. */
  readonly ancestors: readonly Ancestor[]
  readonly faults: readonly PolicyFault[]
}

/** An object that has an entry in the status of a policy (Gateway API, PolicyAncestorStatus). */
export interface Ancestor {
  /** A ParentReference. */
  readonly ref: Raw
  /** Why no request of ours gets from there to the target; undefined where some do. */
  readonly detached: string | undefined
}

/** The targets of one policy. */
export interface PolicyTargets {
  readonly targets: readonly PolicyTarget[]
  /** Targets of kinds that are not served, and those that name or select nothing. */
  readonly unserved: readonly Fault[]
}

/** What targets are looked up in. */
export interface TargetContext {
  readonly world: World
  /** Our Gateways by `ns/name`; so are the routes. */
  readonly gateways: ReadonlyMap<string, GatewayView>
  readonly routes: ReadonlyMap<string, RouteView>
  readonly uses: Uses
}

const groups: Readonly<Record<TargetKind, string>> = {
  Gateway: 'gateway.networking.k8s.io',
  HTTPRoute: 'gateway.networking.k8s.io',
  AgentgatewayBackend: 'agentgateway.dev',
  Service: '',
}

/** A target that is named, or an object that is selected. */
interface Written {
  readonly kind: TargetKind
  readonly ref: ObjectRef
  readonly place: string
  readonly section: string | undefined
  readonly port: number | undefined
}

/**
 * Finds the targets of a policy, each once: those that it names and those that it selects, all in its own namespace. Where another
 * controller has written the policy's status, it only has ancestors to which something of ours leads.
 */
export function policyTargets(policy: KubeObject, context: TargetContext): PolicyTargets {
  const namespace = policy.metadata.namespace ?? ''
  const unserved: Fault[] = []
  const kindOf = (target: unknown, place: string): TargetKind | undefined => {
    const kind = textAt(target, 'kind') ?? ''
    if (isTargetKind(kind) && (textAt(target, 'group') ?? '') === groups[kind]) return kind
    const message = `${place} is of a kind that mcplex doesn't serve: target a Gateway, HTTPRoute, AgentgatewayBackend or Service`
    unserved.push({ reason: 'Unsupported', message })
    return undefined
  }
  const unread = (message: string): readonly Written[] => {
    unserved.push({ reason: 'Invalid', message })
    return []
  }
  const partOf = (target: unknown) => ({ section: textAt(target, 'sectionName'), port: numberAt(target, 'port') })

  const named = listAt(policy, 'spec', 'targetRefs').flatMap((target, index): readonly Written[] => {
    const place = `spec.targetRefs[${index}]`
    const kind = kindOf(target, place)
    const name = textAt(target, 'name')
    if (kind === undefined) return []
    if (name === undefined) return unread(`${place}.name is missing: name the ${kind}`)
    return [{ kind, ref: { group: groups[kind], kind, namespace, name }, place, ...partOf(target) }]
  })
  const selected = listAt(policy, 'spec', 'targetSelectors').flatMap((target, index): readonly Written[] => {
    const place = `spec.targetSelectors[${index}]`
    const kind = kindOf(target, place)
    const matchLabels = valueAt(target, 'matchLabels')
    if (kind === undefined) return []
    if (matchLabels === undefined) return unread(`${place}.matchLabels is missing: write the labels of what is meant`)
    const wrong = selectorFault({ matchLabels })
    if (wrong !== undefined) return unread(`${place}${wrong}: correct it`)
    return context.world
      .all(groups[kind], kind)
      .filter(({ metadata }) => (metadata.namespace ?? '') === namespace && isSelected({ matchLabels }, metadata.labels))
      .map((object) => ({ kind, ref: refOf(object), place, ...partOf(target) }))
  })
  const once = new Map([...named, ...selected].reverse().map((one) => [`${refKey(one.ref)} ${one.section} ${one.port}`, one]))
  const isUntouched = context.uses.isUntouched(policy)
  return { targets: [...once.values()].reverse().map((one) => resolve(one, context, isUntouched)), unserved }
}

function isTargetKind(kind: string): kind is TargetKind {
  return Object.hasOwn(groups, kind)
}

function resolve(target: Written, context: TargetContext, isUntouched: boolean): PolicyTarget {
  const { kind, ref, place, port } = target
  const isThere = context.world.find(ref) !== undefined || (kind === 'Service' && (context.uses.isServing(ref) || context.uses.isIdle(ref)))
  if (!isThere) {
    const message = `${place}: there is no ${titleOf(ref)}: create it, or correct the name`
    const ancestors = isUntouched ? [{ ref: parentRef(target), detached: message }] : []
    return { kind, ref, places: [], ancestors, faults: [notFound(message)] }
  }
  const { places, ancestors, faults } = resolvers[kind](target, context)
  const misplaced =
    port === undefined || kind === 'Gateway'
      ? []
      : [{ reason: 'Invalid', message: `${place}.port is for Gateways alone: leave it out`, closes: true }]
  const isTold = isUntouched || groups[kind] === 'gateway.networking.k8s.io' || context.uses.isServing(ref)
  return { kind, ref, places, ancestors: isTold ? ancestors : [], faults: [...faults, ...misplaced] }
}

type Resolution = Pick<PolicyTarget, 'places' | 'ancestors' | 'faults'>

const resolvers: Readonly<Record<TargetKind, (target: Written, context: TargetContext) => Resolution>> = {
  Gateway: (target, { gateways }) => {
    const key = nameKey(target.ref)
    const gateway = gateways.get(key)
    if (gateway === undefined) return foreign
    const { section, port } = target
    if (section === undefined && port === undefined) return found([{ kind: 'gateway', key }], target)
    const listeners = gateway.listeners.filter((one) => (section ?? one.name) === one.name && (port ?? one.port) === one.port)
    if (listeners.length > 0)
      return found(
        listeners.map(({ name }) => ({ kind: 'gateway', key, listener: name })),
        target,
      )
    return missing(target, section === undefined ? `no listener with port ${port}` : `no listener ${section}`)
  },
  HTTPRoute: (target, { routes }) => {
    const key = nameKey(target.ref)
    const route = routes.get(key)
    if (route === undefined) return foreign
    const { section } = target
    const ancestors = gatewaysOf(route)
    if (section === undefined) return { places: [{ kind: 'route', key }], ancestors, faults: [] }
    if (!route.rules.some((rule) => rule.name === section)) return { ...missing(target, `no rule ${section}`), ancestors }
    return { places: [{ kind: 'route', key, rule: section }], ancestors, faults: [] }
  },
  AgentgatewayBackend: (target, { world, uses }) => {
    const { ref, section } = target
    const key = nameKey(ref)
    const targets = listAt(world.find(ref), 'spec', 'mcp', 'targets')
    const isMissing = section !== undefined && !targets.some((one) => textAt(one, 'name') === section)
    const resolution = isMissing
      ? missing(target, `no target ${section}`)
      : found([{ kind: 'backend', key, ...(section === undefined ? {} : { target: section }) }], target)
    return { ...resolution, ancestors: known(resolution.ancestors, ref, uses) }
  },
  Service: (target, { uses }) => {
    const { ref, section, place } = target
    const resolution = found([{ kind: 'service', key: nameKey(ref) }], target)
    const message = `${place}.sectionName: mcplex doesn't tell the ports of a Service apart yet: leave it out`
    return {
      ...resolution,
      ancestors: known(resolution.ancestors, ref, uses),
      faults: section === undefined ? [] : [{ reason: 'Unsupported', message, closes: true }],
    }
  },
}

const foreign: Resolution = { places: [], ancestors: [], faults: [] }

function found(places: readonly PolicyPlace[], target: Written): Resolution {
  return { places, ancestors: [{ ref: parentRef(target), detached: undefined }], faults: [] }
}

/**
 * The ancestors of a backend or Service: those that routes of ours lead to. To what no route leads at all, ours may lead one day, so it has
 * one too.
 */
function known(ancestors: readonly Ancestor[], ref: ObjectRef, uses: Uses): readonly Ancestor[] {
  if (uses.isServing(ref)) return ancestors
  return uses.isIdle(ref) ? ancestors.map((one) => ({ ...one, detached: `no route or Agent of mcplex leads to ${titleOf(ref)} yet` })) : []
}

function missing(target: Written, what: string): Resolution {
  const message = `${target.place}: ${titleOf(target.ref)} has ${what}: correct the name`
  return { places: [], ancestors: [{ ref: parentRef(target), detached: message }], faults: [notFound(message)] }
}

/** The fault of a target that does not exist. It closes nothing, as nothing passes there. */
function notFound(message: string): PolicyFault {
  return { reason: 'TargetNotFound', message, closes: false }
}

function parentRef({ ref, section, port }: Pick<Written, 'ref' | 'section' | 'port'>): Raw {
  const { group, kind, namespace, name } = ref
  const part = section === undefined ? (port === undefined ? {} : { port }) : { sectionName: section }
  return { group, kind, namespace, name, ...part }
}

/** The Gateways of ours that a route refers to, each once. */
function gatewaysOf(route: RouteView): readonly Ancestor[] {
  const attached = new Map<string, Ancestor>()
  for (const { gateway, faults } of route.parents) {
    const ref = refOf(gateway.object)
    const detached =
      faults.length === 0 ? undefined : `${titleOf(refOf(route.object))} is not attached to ${titleOf(ref)}: its status says why`
    if (detached === undefined || !attached.has(gateway.key)) {
      attached.set(gateway.key, { ref: parentRef({ ref, section: undefined, port: undefined }), detached })
    }
  }
  return [...attached.values()]
}
