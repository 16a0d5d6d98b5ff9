import { type Size, sizeInside } from '../fragments/fragments.ts'
import { listAt, type Raw } from '../objects/objects.ts'
import type { RouteView } from '../routes/routes.ts'
import type { Need } from './document-load.ts'
import { type DocumentRoute, refusing } from './document-routes.ts'

/** Routes of the document that refuse what certain HTTPRoutes match: it is answered with 500 and never goes elsewhere. */
export interface RouteRefusals {
  /** Refuses what a route matches; returns the room that takes. Within a namespace the youngest route must be added first. */
  add(route: RouteView): Need
  remove(route: RouteView): void
  /** The route of the document that stands where this one was; undefined where that is elsewhere, or this one is not refused. */
  at(route: RouteView): DocumentRoute | undefined
}

interface Refused {
  readonly listeners: readonly unknown[]
  readonly hostnames: readonly unknown[]
  readonly matches: readonly unknown[]
}

/**
 * Routes of one namespace that differ only in their matches, or only in their hostnames, are refused by one route of the document. It has
 * the name and the place of the youngest, so that it never goes before a route of another namespace that went before one of them.
 */
interface Group {
  readonly youngest: RouteView
  readonly members: Set<RouteView>
  /** The room that it takes without what its members differ in. */
  readonly size: Size
}

/** @param entries by route, the routes of the document that would serve it */
export function createRefusals(entries: ReadonlyMap<RouteView, readonly DocumentRoute[]>): RouteRefusals {
  const refused = new Map([...entries].map(([route, own]) => [route, refusedOf(own)]))
  const placeOf = (route: RouteView, { listeners, hostnames }: Refused): string =>
    JSON.stringify([route.object.metadata.namespace, listeners, hostnames])
  const places = Map.groupBy(refused, ([route, one]) => placeOf(route, one))
  /** By what all its members have in common. */
  const groups = new Map<string, Group>()
  const joined = new Map<RouteView, Group>()

  return {
    add(route) {
      const one = refused.get(route) ?? nothing
      const place = placeOf(route, one)
      const isOfMatches = one.hostnames.length === 0 || (places.get(place)?.length ?? 0) > 1
      const key = isOfMatches ? place : JSON.stringify([route.object.metadata.namespace, one.listeners, '', one.matches])
      const rest = fragmentOf(route.key, isOfMatches ? { ...one, matches: [] } : { ...one, hostnames: [] })
      const group = groups.get(key) ?? { youngest: route, members: new Set(), size: sizeInside([rest]) }
      groups.set(key, group)
      group.members.add(route)
      joined.set(route, group)
      return { own: sizeInside(isOfMatches ? one.matches : one.hostnames), shared: new Set([group.size]) }
    },
    remove(route) {
      joined.get(route)?.members.delete(route)
    },
    at(route) {
      const group = joined.get(route)
      if (group?.youngest !== route || group.members.size === 0) return undefined
      const members = [...group.members].map((member) => refused.get(member) ?? nothing)
      const fragment = fragmentOf(route.key, {
        listeners: members[0]?.listeners ?? [],
        hostnames: distinct(members.flatMap(({ hostnames }) => hostnames)),
        matches: distinct(members.flatMap(({ matches }) => matches)),
      })
      return { route, fragment, targets: [], calls: [], barred: [] }
    },
  }
}

const nothing: Refused = { listeners: [], hostnames: [], matches: [] }

function refusedOf(entries: readonly DocumentRoute[]): Refused {
  const [first] = entries
  return {
    listeners: entries.flatMap(({ fragment }) => listAt(fragment, 'listeners')),
    hostnames: listAt(first?.fragment, 'hostnames'),
    matches: listAt(first?.fragment, 'rules').flatMap((rule) => listAt(rule, 'matches')),
  }
}

function fragmentOf(name: string, { listeners, hostnames, matches }: Refused): Raw {
  const rules = [refusing(matches, 'there is no room for this route')]
  return { name, listeners, ...(hostnames.length === 0 ? {} : { hostnames }), rules }
}

function distinct(values: readonly unknown[]): readonly unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
