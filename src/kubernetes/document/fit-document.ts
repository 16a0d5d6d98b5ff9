import { documentBounds } from '../../config/config.ts'
import type { AgentView } from '../agents/agents.ts'
import { type BackendView, endpointsSize, withoutEndpoints } from '../backends/backends.ts'
import { type Size, sizeInside } from '../fragments/fragments.ts'
import type { GatewayView } from '../gateways/gateways.ts'
import { compare, type Fault } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'
import { createLoad, type Load, type Need } from './document-load.ts'
import type { DocumentRoute } from './document-routes.ts'
import { widestRequests, withRequestTimeout } from './longest-requests.ts'
import { createRefusals } from './route-refusals.ts'

/** The largest document: a Secret holds 1 MiB. `config` reads a thousand values more than this, for what is added later. */
export const documentLimit: Size = { bytes: 1_000_000, parts: documentBounds.parts - 1000 }

/** What there is room for in a document. */
export interface Fitting {
  readonly entries: readonly DocumentRoute[]
  /** Routes that are not served because there is no room, with why. */
  readonly beyond: ReadonlyMap<RouteView, Fault>
  /** What else there was no room for, for the Gateway's status. */
  readonly remarks: readonly Fault[]
}

/** The routes of one namespace. */
interface Space {
  readonly namespace: string
  readonly load: Load
  /** The guests that are served, the oldest first. */
  readonly served: Guest[]
  /** The guests that are refused, the youngest first; once none is served, the smallest first. */
  refused: Guest[]
  /** The addresses of pods behind the backends that its routes lead to, the longest list last. */
  readonly lists: EndpointLists[]
}

/** The addresses of pods behind one backend. */
interface EndpointLists {
  readonly view: BackendView
  readonly size: Size
}

interface Guest {
  readonly route: RouteView
  readonly need: Need
}

/**
 * Decides what there is room for, so that no namespace's routes keep those of others from being served. As long as the document is too large,
 * the namespace that takes most of it gives something up:
 * 1. the addresses of pods behind its backends, the longest list first; then servers are reached by their hosts alone;
 * 2. its youngest route, whose requests are refused from then on, as they must not go where other routes would take them;
 * 3. once it serves none, its largest refusal.
 *
 * The Gateway's own namespace loses routes last, unless it is too large by itself.
 * @param entries the oldest first, those of one route together
 * @param spare the room for routes and for the backends and agents that they lead to
 */
export function fitRoutes(gateway: GatewayView, entries: readonly DocumentRoute[], spare: Size): Fitting {
  const { needOf, listsOf } = measuring(entries)
  const byRoute = Map.groupBy(entries, ({ route }) => route)
  const total = createLoad()
  const spaces = new Map<string, Space>()
  for (const [route, own] of byRoute) {
    const need = needOf(own)
    total.add(need)
    if (route === undefined) continue
    const namespace = route.object.metadata.namespace ?? ''
    const space: Space = spaces.get(namespace) ?? { namespace, load: createLoad(), served: [], refused: [], lists: [] }
    spaces.set(namespace, space)
    space.served.push({ route, need })
    space.load.add(need)
  }
  const beyond = new Map<RouteView, Fault>()
  if (overrun(total, spare) === undefined) return { entries, beyond, remarks: [] }

  const routes = new Map([...byRoute].flatMap(([route, own]) => (route === undefined ? [] : [[route, own] as const])))
  const refusals = createRefusals(routes)
  const change = ({ load }: Space, before: Need, after: Need | undefined): void => {
    for (const one of [total, load]) {
      one.remove(before)
      if (after !== undefined) one.add(after)
    }
  }
  const all = [...spaces.values()]
  const hostsAlone = new Set<BackendView>()
  for (const { served, lists } of all) {
    const views = new Set(served.flatMap(({ route }) => (routes.get(route) ?? []).flatMap(backendsOf)))
    lists.push(...[...views].flatMap(listsOf).sort(bySize))
  }
  const leaveOutLists = ({ lists }: Space): boolean => {
    const largest = lists.pop()
    if (largest === undefined) return false
    hostsAlone.add(largest.view)
    for (const { load } of [{ load: total }, ...all]) load.leaveOut(largest.size)
    return true
  }
  const own = spaces.get(gateway.object.metadata.namespace ?? '')
  for (let over = overrun(total, spare); over !== undefined; over = overrun(total, spare)) {
    const space = payer(all, own, spare, over)
    if (space === undefined) break
    if (leaveOutLists(most(all, over) ?? space) || leaveOutLists(space)) continue
    const youngest = space.served.pop()
    const largest = youngest === undefined ? space.refused.pop() : undefined
    if (youngest !== undefined) {
      const need = refusals.add(youngest.route)
      change(space, youngest.need, need)
      space.refused.push({ ...youngest, need })
      if (space.served.length === 0)
        space.refused = space.refused.toReversed().sort((one, other) => one.need.own.bytes - other.need.own.bytes)
      beyond.set(youngest.route, beyondFault(gateway, space, over, 'its requests are answered with 500'))
    } else if (largest !== undefined) {
      refusals.remove(largest.route)
      change(space, largest.need, undefined)
      beyond.set(largest.route, beyondFault(gateway, space, over, unrefused))
    }
  }
  const fitting = [...byRoute].flatMap(([route, own]) => {
    if (route === undefined || !beyond.has(route)) return own
    return refusals.at(route) ?? []
  })
  const lean = new Map([...hostsAlone].map((view) => [view, withoutEndpoints(view)]))
  return {
    entries: lean.size === 0 ? fitting : fitting.map((entry) => withBackends(entry, lean)),
    beyond,
    remarks: hostsRemarks(hostsAlone),
  }
}

function backendsOf({ targets }: DocumentRoute): readonly BackendView[] {
  return targets.flatMap(({ backends }) => backends)
}

/** Sorts the smallest first, equal ones by name. */
function bySize(one: EndpointLists, other: EndpointLists): number {
  return one.size.bytes - other.size.bytes || compare(other.view.name, one.view.name)
}

function withBackends(entry: DocumentRoute, others: ReadonlyMap<BackendView, BackendView>): DocumentRoute {
  const targets = entry.targets.map((target) => ({ ...target, backends: target.backends.map((view) => others.get(view) ?? view) }))
  return { ...entry, targets }
}

function hostsRemarks(views: ReadonlySet<BackendView>): readonly Fault[] {
  const names = [...views].map(({ name }) => name).sort(compare)
  if (names.length === 0) return []
  const shown = names.slice(0, 10).join(', ')
  const more = names.length > 10 ? ` and ${names.length - 10} more` : ''
  const message =
    `its configuration has no room for the addresses of the pods behind ${shown}${more}: their hosts alone are used, ` +
    'so keep sessions there by sessionAffinity of the Services, or give some routes a Gateway of their own'
  return [{ reason: 'UnsupportedValue', message }]
}

const unrefused =
  'there is not even room to refuse its requests, so they go where routes of other namespaces take them; none of this one is served here'

function beyondFault({ key }: GatewayView, { namespace }: Space, over: keyof Size, outcome: string): Fault {
  const size = over === 'bytes' ? `be larger than ${documentLimit.bytes} bytes` : `have more than ${documentLimit.parts} values`
  const message =
    `the configuration of Gateway ${key} would ${size}, and routes of namespace ${namespace}, with what they lead to, take most of it: ` +
    `${outcome}: write less, or give them a Gateway of their own`
  return { reason: 'UnsupportedValue', message }
}

/** The namespace that is next to give something up: of those that have routes left the one that takes most, the Gateway's own last. */
function payer(spaces: readonly Space[], own: Space | undefined, spare: Size, over: keyof Size): Space | undefined {
  const isOwnTooLarge = own !== undefined && overrun(own.load, spare) !== undefined
  const others = spaces.filter((space) => space !== own || isOwnTooLarge)
  return most(others, over) ?? (own !== undefined && hasAny(own) ? own : undefined)
}

function most(spaces: readonly Space[], over: keyof Size): Space | undefined {
  let found: Space | undefined
  for (const space of spaces) {
    if (hasAny(space) && (found === undefined || space.load[over] > found.load[over])) found = space
  }
  return found
}

function hasAny({ served, refused }: Space): boolean {
  return served.length + refused.length > 0
}

/** Whether there are too many bytes or too many values; undefined where all fits. */
function overrun({ bytes, parts }: Size, spare: Size): keyof Size | undefined {
  if (bytes > spare.bytes) return 'bytes'
  return parts > spare.parts ? 'parts' : undefined
}

interface Measures {
  /** The most room that routes take, whichever others are in the document. */
  needOf(own: readonly DocumentRoute[]): Need
  listsOf(view: BackendView): readonly EndpointLists[]
}

/** The room of a backend or agent without the addresses of pods, and that of these. */
interface ViewSizes {
  readonly rest: Size
  readonly endpoints: Size | undefined
}

function measuring(entries: readonly DocumentRoute[]): Measures {
  const widest = widestRequests(entries.flatMap(({ calls }) => calls))
  const sizes = new Map<BackendView | AgentView, ViewSizes>()
  const sizesOf = (view: BackendView | AgentView): ViewSizes => {
    const known = sizes.get(view)
    if (known !== undefined) return known
    const isBackend = 'servers' in view
    const { name, fragment } = isBackend ? withoutEndpoints(view) : view
    const request = isBackend ? widest.get(name) : undefined
    const rest = sizeInside({ [name]: request === undefined || fragment === undefined ? fragment : withRequestTimeout(fragment, request) })
    const found = { rest, endpoints: isBackend ? endpointsSize(view) : undefined }
    sizes.set(view, found)
    return found
  }
  return {
    needOf(own) {
      const views = new Set(own.flatMap(({ targets }) => targets.flatMap(({ backends, agents }) => [...backends, ...agents])))
      const shared = [...views].map(sizesOf).flatMap(({ rest, endpoints }) => (endpoints === undefined ? [rest] : [rest, endpoints]))
      return { own: sizeInside(own.map(({ fragment }) => fragment)), shared: new Set(shared) }
    },
    listsOf(view) {
      const { endpoints } = sizesOf(view)
      return endpoints === undefined ? [] : [{ view, size: endpoints }]
    },
  }
}
