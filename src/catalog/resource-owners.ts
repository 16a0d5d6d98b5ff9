import type { Item } from '../mcp/mcp.ts'
import { exposePrivately } from './expose-answer.ts'
import { ownUri } from './exposed-uri.ts'
import { fullName, type ListTable, type MergedServer } from './list-table.ts'
import { unlistedItem } from './listed-item.ts'
import { isKnown, mayOffer } from './merged-offers.ts'
import type { CatalogServer, Owner, Sight } from './model.ts'
import type { Selection } from './selection.ts'
import { otherSpellings, sameness } from './spellings.ts'
import { type UriMatcher, uriMatcher } from './uri-template.ts'

/** The tables in which URIs are looked up. */
export type UriTables = (kind: 'resources' | 'templates') => ListTable

interface Templated {
  readonly owner: Owner
  readonly matcher: UriMatcher
}

/** Bound of the templates that a bare URI is compared with. */
const maxTemplates = 500
/**
 * Bound of the work of one look-up: characters of the URI times parts of templates, less than half a millisecond. Beyond it nothing is
 * found.
 */
const maxSteps = 20_000
/** Bound of the spellings of one URI that rules are asked about. */
const maxSpellings = 128
/** Bound of a URI that clients ask for, since it is compared with patterns and sent in a header. */
const maxUriChars = 8192

/** The server that a URI names by its prefix, and the URI at that server; undefined where there is no such prefix. */
export function prefixedUri(
  merged: ReadonlyMap<string, MergedServer>,
  exposed: string,
): { readonly of: MergedServer; readonly uri: string } | undefined {
  const own = ownUri(exposed)
  const of = own === undefined ? undefined : merged.get(own.server)
  return own === undefined || !of?.server.isPrefixed ? undefined : { of, uri: own.uri }
}

/**
 * Finds the owner of a resource URI or a template, whether or not it is listed. A bare URI belongs to the first server that lists it, else
 * to the first with a matching template, else to the only server with resources among those that the caller could see anything of.
 */
export function createFindResource(
  merged: ReadonlyMap<string, MergedServer>,
  tables: UriTables,
  selection: Selection | undefined,
): (exposed: string, sight?: Sight) => Owner | undefined {
  let twins: { readonly of: ListTable; readonly byKey: ReadonlyMap<string, readonly Owner[]> } | undefined
  let templated: { readonly of: ListTable; readonly list: readonly Templated[] } | undefined

  const ownerOf = ({ server, expose }: MergedServer, uri: string): Owner => ({
    server: server.name,
    upstream: server.upstream,
    addressed: { name: uri, paramHeaders: [] },
    item: unlistedItem(server.name, server.upstream, uri),
    expose,
  })

  const ofTemplate = (uri: string): Owner | undefined => {
    const table = tables('templates')
    if (templated?.of !== table) {
      const list = [...table.owners].slice(0, maxTemplates).flatMap(([template, owner]): Templated[] => {
        const matcher = merged.get(owner.server)?.server.isPrefixed ? undefined : uriMatcher(template)
        return matcher === undefined ? [] : [{ owner, matcher }]
      })
      templated = { of: table, list }
    }
    let room = maxSteps
    const found = templated.list.find(({ matcher }) => {
      if (!matcher.mayMatch(uri)) return false
      room -= uri.length * matcher.cost
      return room >= 0 && matcher.matches(uri)
    })
    if (found === undefined) return undefined
    const { owner } = found
    return { ...owner, addressed: { name: uri, paramHeaders: [] }, item: unlistedItem(owner.server, owner.upstream, uri) }
  }

  const ofOnly = (uri: string, sight: Sight | undefined): Owner | undefined => {
    const isReached = ({ name, upstream }: CatalogServer) => sight?.reaches(upstream.settings.backend, name, 'resources') ?? true
    const able = [...merged.values()].filter(
      ({ server }) => !server.isPrefixed && mayOffer(server.upstream, 'resources') && isReached(server),
    )
    // A server that is down and was never met does not count; one that is still being met may have the resource.
    const likely = able.filter(({ server: { upstream } }) => isKnown(upstream) || upstream.status().state !== 'down')
    const [only, ...more] = likely.length === 0 ? able : likely
    return only === undefined || more.length > 0 ? undefined : ownerOf(only, uri)
  }

  const find = (exposed: string, sight: Sight | undefined): Owner | undefined => {
    if (exposed.length > maxUriChars) return undefined
    const prefixed = prefixedUri(merged, exposed)
    if (prefixed !== undefined) {
      const { of, uri } = prefixed
      return uri !== '' && mayOffer(of.server.upstream, 'resources') ? ownerOf(of, uri) : undefined
    }
    return (
      tables('resources').owners.get(exposed) ?? tables('templates').owners.get(exposed) ?? ofTemplate(exposed) ?? ofOnly(exposed, sight)
    )
  }

  /** Listed URIs that a server may treat as equal to this one, although they are spelled differently. */
  const twinsOf = ({ server }: Owner, uri: string): readonly string[] => {
    const table = tables('resources')
    if (twins?.of !== table) twins = { of: table, byKey: Map.groupBy(table.owners.values(), (one) => keyOf(one, one.addressed.name)) }
    return (twins.byKey.get(keyOf({ server }, uri)) ?? []).map((one) => one.addressed.name)
  }

  return (exposed, sight) => {
    const found = find(exposed, sight)
    if (found === undefined || (selection === undefined && sight === undefined)) return found
    const { server, upstream, addressed } = found
    const selects = (uri: string) => selection?.selects(fullName('resources', server, uri)) ?? true
    const own = listed(exposed, found)
    if (own !== undefined) return selects(addressed.name) && (sight?.sees(own.item) ?? true) ? privately(own, own.item) : undefined
    const uri = addressed.name
    const others = otherSpellings(uri)
    if (others === undefined || !selects(uri)) return undefined
    const spellings = [...others, ...twinsOf(found, uri)]
    if (spellings.length > maxSpellings) return undefined
    if (spellings.some((one) => selection?.takesAway(fullName('resources', server, one)))) return undefined
    const item = unlistedItem(server, upstream, uri, spellings)
    if (sight !== undefined && !sight.sees(item)) return undefined
    // Many servers normalise a URI by the URL standard, so the result has to be allowed too.
    const { href } = new URL(uri)
    if (href !== uri && !(selects(href) && (sight?.sees(unlistedItem(server, upstream, href)) ?? true))) return undefined
    return privately(found, item)
  }

  /** The owner by the listed entry, if the URI is in a list. */
  function listed(exposed: string, found: Owner): Owner | undefined {
    const own = tables('resources').owners.get(exposed) ?? tables('templates').owners.get(exposed)
    return own?.upstream === found.upstream ? own : undefined
  }
}

function privately(owner: Owner, item: Item): Owner {
  return { ...owner, item, expose: exposePrivately(owner.expose) }
}

function keyOf({ server }: Pick<Owner, 'server'>, uri: string): string {
  return `${server} ${sameness(uri)}`
}
