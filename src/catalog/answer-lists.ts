import { type Answer, type Dialect, type ListKind, lists, type Refusal, refuse, within } from '../mcp/mcp.ts'
import { openCursor, sealCursor } from './cursors.ts'
import type { ListPages } from './list-pages.ts'
import { mayOffer, type Reach } from './merged-offers.ts'
import type { Catalog, CatalogServer, CatalogSettings, Listed, Sight } from './model.ts'
import type { ShownList } from './shown-lists.ts'

const none: readonly Promise<void>[] = []
/** How long a list request waits for a server whose entries are older than its `ttl`. */
const staleWaitMs = 1000

const listWords: Readonly<Record<ListKind, string>> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  templates: 'resource templates',
}

/** What list requests of one caller are answered from. */
export interface ListParts {
  readonly settings: CatalogSettings
  readonly reach: Reach
  /** What the caller sees; undefined: everything that the view selects. */
  readonly sight: Sight | undefined
  /** A list as the caller sees it now. */
  readonly shown: (kind: ListKind) => ShownList
  /** The servers of which the caller could see anything. Others are neither waited for nor mentioned. */
  readonly seen: () => readonly CatalogServer[]
}

/**
 * Makes what answers list requests: a page with the cursor of the next one, its cache hint and the names of missing servers, or why there
 * is no list. A request waits until every server has been met, and for a moment for lists that are older than their `ttl`.
 */
export function createAnswerLists({ settings, reach, sight, shown, seen }: ListParts): Pick<Catalog, 'list' | 'settled'> {
  const { servers, title, cursors } = settings

  const listNow = (kind: ListKind, dialect: Dialect, cursor: string | undefined, scope: readonly string[]): Listed => {
    const part = shown(kind)
    const list = part.pages(dialect)
    return { answer: whyNot(kind, part.count) ?? pageOf(kind, list, cursor, scope), withheld: part.withheld }
  }

  const pageOf = (kind: ListKind, list: ListPages, cursor: string | undefined, scope: readonly string[]): Answer => {
    const bound = [...scope, kind]
    const index = cursor === undefined ? 0 : openCursor(cursors, list, cursor, bound)
    const page = index === undefined ? undefined : list.pages[index]
    if (index === undefined || page === undefined)
      return refuse('invalid-params', 'this cursor is of no list that is there now: start again without one')
    const next = list.pages[index + 1]
    let ttlMs = Number.MAX_SAFE_INTEGER
    let isPublic = settings.selection === undefined && sight === undefined
    let isEmpty = true
    const missing: string[] = []
    for (const server of servers) {
      if (!mayOffer(server.upstream, kind) || !reach(server, kind)) continue
      const hint = server.upstream.cacheHint(kind)
      const isMissing = server.upstream.status().state !== 'ready' || !hint.isWhole
      if (isMissing) missing.push(server.name)
      ttlMs = Math.min(ttlMs, isMissing ? 0 : hint.ttlMs)
      isPublic &&= hint.isPublic
      isEmpty = false
    }
    const extra = [
      ...(next === undefined ? [] : [`"nextCursor":${JSON.stringify(sealCursor(cursors, list, next, bound))}`]),
      ...(missing.length === 0 ? [] : [`"_meta":{"mcplex.dev/missing":${JSON.stringify(missing)}}`]),
    ]
    return {
      kind: 'complete',
      result: extra.length === 0 ? page.text : `${page.text.slice(0, -1)},${extra.join(',')}}`,
      isError: false,
      hasMeta: missing.length > 0,
      cache: { ttlMs: isEmpty ? 0 : ttlMs, scope: isPublic ? 'public' : 'private' },
    }
  }

  const whyNot = (kind: ListKind, shownCount: number): Refusal | undefined => {
    const isDown = ({ upstream }: CatalogServer) => upstream.status().state === 'down'
    // An agent without tools is probably configured wrongly, so that is told; one without prompts is normal.
    const ofTools = sight === undefined ? servers : seen()
    const concerned = kind === 'tools' ? ofTools : servers.filter((server) => reach(server, kind))
    const down = concerned.filter((server) => isDown(server) && mayOffer(server.upstream, kind))
    const required = down.find((server) => server.isRequired)
    if (required !== undefined) {
      const text = `${title} lists nothing while a server is missing (failure: closed): ${whyDown(required)}`
      return refuse('upstream-down', text, { server: required.name })
    }
    if (shownCount > 0) return undefined
    // A caller who may use nothing is told so, since a model with an empty list would invent an answer.
    const noneForCaller = sight === undefined ? undefined : refuse('no-tools', `${title} has no tools that this caller may use`)
    if (concerned.length === 0) return kind === 'tools' ? noneForCaller : undefined
    const offering = concerned.filter(({ upstream }) => upstream.offers()[lists[kind].capability])
    const isNobodyUp = down.length === concerned.length || (offering.length > 0 && offering.every(isDown))
    const mustShow = kind === 'tools' && (settings.selection !== undefined || sight !== undefined)
    if (isNobodyUp || (mustShow && down.length > 0))
      return refuse('upstream-down', `${title} has no ${listWords[kind]}: ${down.map(whyDown).join('; ')}`, {
        data: { servers: down.map((server) => server.name) },
      })
    if (!mustShow) return undefined
    return noneForCaller ?? refuse('no-tools', `${title} has no tools: what it selects matches nothing that its servers offer`)
  }

  /** What a list request waits for: servers that were not met yet, and for a moment servers whose entries are too old. */
  const waits = (): readonly Promise<void>[] => {
    let waiting: Promise<void>[] | undefined
    for (const { upstream } of sight === undefined ? servers : seen()) {
      const fresh = upstream.ensureFresh()
      if (fresh === undefined) continue
      waiting ??= []
      // After that the known entries are used, so that a server that hangs delays a list no longer.
      waiting.push(upstream.status().state === 'connecting' ? fresh : within(staleWaitMs, fresh))
    }
    return waiting ?? none
  }

  return {
    list(kind, dialect, cursor, scope) {
      const waiting = waits()
      return waiting === none
        ? listNow(kind, dialect, cursor, scope)
        : Promise.all(waiting).then(() => listNow(kind, dialect, cursor, scope))
    },
    async settled() {
      await Promise.all(waits())
    },
  }
}

function whyDown(server: CatalogServer): string {
  return `${server.name} ${server.upstream.status().lastError ?? 'is down'}`
}
