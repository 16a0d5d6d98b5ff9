import { ownUri } from './exposed-uri.ts'
import { fullName, type ListTable, type MergedServer } from './list-table.ts'
import { isKnown, mayOffer } from './merged-offers.ts'
import type { Owner, Sight } from './model.ts'
import type { Selection } from './selection.ts'
import { unlistedThing } from './thing.ts'
import { type UriMatcher, uriMatcher } from './uri-template.ts'

/** The tables that URIs are looked up in. */
export type UriTables = (kind: 'resources' | 'templates') => ListTable

interface Templated {
  readonly owner: Owner
  readonly matcher: UriMatcher
}

/** Templates of one view that a bare URI is compared with. */
const maxTemplates = 500
/** Characters of a URI times parts of templates that one look-up may compare: less than half a millisecond. What would cost more is not found. */
const maxSteps = 20_000
/** What a client asks for is compared with patterns, and stands in a header on its way to the server. */
const maxUriChars = 8192

/** The server that a URI names by its prefix, and the URI there; undefined where it names none. */
export function prefixedUri(
  merged: ReadonlyMap<string, MergedServer>,
  exposed: string,
): { readonly of: MergedServer; readonly uri: string } | undefined {
  const own = ownUri(exposed)
  const of = own === undefined ? undefined : merged.get(own.server)
  return own === undefined || !of?.server.isPrefixed ? undefined : { of, uri: own.uri }
}

/**
 * Finds whose resource a URI or a template is, listed or not. A bare URI is that of the first server that lists it, else of the
 * first with a template for it, else of the only one that has resources.
 */
export function createFindResource(
  merged: ReadonlyMap<string, MergedServer>,
  tables: UriTables,
  selection: Selection | undefined,
): (exposed: string, sight?: Sight) => Owner | undefined {
  let templated: { readonly of: ListTable; readonly list: readonly Templated[] } | undefined

  const ownerOf = ({ server, expose }: MergedServer, uri: string): Owner => ({
    server: server.name,
    upstream: server.upstream,
    addressed: { name: uri, paramHeaders: [] },
    thing: unlistedThing(server.name, server.upstream, uri),
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
    return { ...owner, addressed: { name: uri, paramHeaders: [] }, thing: unlistedThing(owner.server, owner.upstream, uri) }
  }

  const ofOnly = (uri: string): Owner | undefined => {
    const able = [...merged.values()].filter(({ server }) => !server.isPrefixed && mayOffer(server.upstream, 'resources'))
    // One that was never met and is down has nothing to be mistaken for; one that is still being met may have.
    const likely = able.filter(({ server: { upstream } }) => isKnown(upstream) || upstream.status().state !== 'down')
    const [only, ...more] = likely.length === 0 ? able : likely
    return only === undefined || more.length > 0 ? undefined : ownerOf(only, uri)
  }

  const find = (exposed: string): Owner | undefined => {
    if (exposed.length > maxUriChars) return undefined
    const prefixed = prefixedUri(merged, exposed)
    if (prefixed !== undefined) {
      const { of, uri } = prefixed
      return uri !== '' && mayOffer(of.server.upstream, 'resources') ? ownerOf(of, uri) : undefined
    }
    return tables('resources').owners.get(exposed) ?? tables('templates').owners.get(exposed) ?? ofTemplate(exposed) ?? ofOnly(exposed)
  }

  return (exposed, sight) => {
    const found = find(exposed)
    if (found === undefined || (selection === undefined && sight === undefined)) return found
    const maySee = (owner: Owner, uri: string) => {
      if (selection !== undefined && !selection.selects(fullName('resources', owner.server, uri))) return false
      return sight === undefined || sight.sees(uri === owner.thing.name ? owner.thing : unlistedThing(owner.server, owner.upstream, uri))
    }
    const own = listed(exposed, found)
    const uri = found.addressed.name
    if (!maySee(own ?? found, uri)) return undefined
    if (own !== undefined) return found
    // Many servers look up what the URL standard makes of a URI: that has to be allowed too.
    return isPlain(uri) && maySee(found, new URL(uri).href) ? found : undefined
  }

  /** The list's own entry, where the URI stands in one. */
  function listed(exposed: string, found: Owner): Owner | undefined {
    const own = tables('resources').owners.get(exposed) ?? tables('templates').owners.get(exposed)
    return own?.upstream === found.upstream ? own : undefined
  }
}

/** `.` and `..` as segments, however their slashes are written. */
const dotSegment = /(?:^|[/\\]|%2f|%5c)\.\.?(?:[/\\?#]|%2f|%5c|$)/i
/** Escapes of characters that need none (RFC 3986, section 2.3). */
const needlessEscape = /%(?:2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/i

/** Characters that readers of URIs drop, or cut off at the ends. */
const dropped = /[\0-\x20\x7f]/

/** Whether a URI is spelled so that its server can't take it for another one, which a pattern would judge otherwise. */
function isPlain(uri: string): boolean {
  return !dotSegment.test(uri) && !needlessEscape.test(uri) && !dropped.test(uri) && URL.canParse(uri)
}
