import { documentBounds } from '../config/config.ts'
import { type Size, sizeInside } from './document-bytes.ts'
import { createLoad, type Load, type Need } from './document-load.ts'
import type { DocumentRoute } from './document-routes.ts'
import { widestRequests, withRequestTimeout } from './longest-requests.ts'
import type { Fault } from './model.ts'
import { createRefusals } from './route-refusals.ts'
import type { AgentView, BackendView, GatewayView, RouteView } from './views.ts'

/** A Secret holds 1 MiB, and proxies read documents of this size in a moment. Readers take some parts more, for what is added. */
export const documentLimit: Size = { bytes: 1_000_000, parts: documentBounds.parts - 1000 }

export interface Fitting {
  readonly entries: readonly DocumentRoute[]
  /** Routes that are not served, as there is no room. */
  readonly beyond: ReadonlyMap<RouteView, Fault>
}

/** Routes of one namespace. */
interface Space {
  readonly namespace: string
  readonly load: Load
  /** The oldest first. */
  readonly served: Guest[]
  /** Those that are refused, the youngest first; once none is served any more, the smallest first. */
  refused: Guest[]
}

interface Guest {
  readonly route: RouteView
  readonly need: Need
}

/**
 * What there is room for, so that nobody's routes keep those of others from being served. Of the namespace that takes most the youngest
 * are refused, as elsewhere their requests might get to more than was meant. Where even its refusals take most, the largest go, and then
 * no route of that namespace leads anywhere any more. The Gateway's own namespace comes last, unless it is too large by itself.
 * @param entries the oldest first, those of one route together
 * @param spare what routes, and the backends and agents that they lead to, may take
 */
export function fitRoutes(gateway: GatewayView, entries: readonly DocumentRoute[], spare: Size): Fitting {
  const needOf = measuring(entries)
  const byRoute = Map.groupBy(entries, ({ route }) => route)
  const total = createLoad()
  const spaces = new Map<string, Space>()
  for (const [route, own] of byRoute) {
    const need = needOf(own)
    total.add(need)
    if (route === undefined) continue
    const namespace = route.object.metadata.namespace ?? ''
    const space: Space = spaces.get(namespace) ?? { namespace, load: createLoad(), served: [], refused: [] }
    spaces.set(namespace, space)
    space.served.push({ route, need })
    space.load.add(need)
  }
  const beyond = new Map<RouteView, Fault>()
  if (overrun(total, spare) === undefined) return { entries, beyond }

  const routes = new Map([...byRoute].flatMap(([route, own]) => (route === undefined ? [] : [[route, own] as const])))
  const refusals = createRefusals(routes)
  const change = ({ load }: Space, before: Need, after: Need | undefined): void => {
    for (const one of [total, load]) {
      one.remove(before)
      if (after !== undefined) one.add(after)
    }
  }
  const all = [...spaces.values()]
  const own = spaces.get(gateway.object.metadata.namespace ?? '')
  for (let over = overrun(total, spare); over !== undefined; over = overrun(total, spare)) {
    const space = payer(all, own, spare, over)
    if (space === undefined) break
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
  return { entries: fitting, beyond }
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

/** Whose routes are next: of those that have any left the space that takes most, and the Gateway's own last. */
function payer(spaces: readonly Space[], own: Space | undefined, spare: Size, over: keyof Size): Space | undefined {
  const isOwnTooLarge = own !== undefined && overrun(own.load, spare) !== undefined
  let most: Space | undefined
  for (const space of spaces) {
    if (!hasAny(space) || (space === own && !isOwnTooLarge)) continue
    if (most === undefined || space.load[over] > most.load[over]) most = space
  }
  return most ?? (own !== undefined && hasAny(own) ? own : undefined)
}

function hasAny({ served, refused }: Space): boolean {
  return served.length + refused.length > 0
}

/** Of which there is too much. */
function overrun({ bytes, parts }: Size, spare: Size): keyof Size | undefined {
  if (bytes > spare.bytes) return 'bytes'
  return parts > spare.parts ? 'parts' : undefined
}

/** What routes take at most, whichever others are written beside them. */
function measuring(entries: readonly DocumentRoute[]): (own: readonly DocumentRoute[]) => Need {
  const widest = widestRequests(entries.flatMap(({ calls }) => calls))
  const sizes = new Map<BackendView | AgentView, Size>()
  const sizeOf = (view: BackendView | AgentView): Size => {
    const known = sizes.get(view)
    if (known !== undefined) return known
    const { name, fragment } = view
    const request = 'servers' in view ? widest.get(name) : undefined
    const size = sizeInside({ [name]: request === undefined || fragment === undefined ? fragment : withRequestTimeout(fragment, request) })
    sizes.set(view, size)
    return size
  }
  return (own) => ({
    own: sizeInside(own.map(({ fragment }) => fragment)),
    shared: new Set(own.flatMap(({ targets }) => targets.flatMap(({ backends, agents }) => [...backends, ...agents].map(sizeOf)))),
  })
}
