import { type Answer, type Dialect, type ListKind, listKinds, lists, type Refusal, refuse, within } from '../mcp/mcp.ts'
import { cursorText, type ListPages, pageAt } from './list-pages.ts'
import { isSeen, mayOffer, mergedOffers, type Reach } from './merged-offers.ts'
import type { Catalog, CatalogServer, CatalogSettings, Listed, Sight } from './model.ts'
import type { ShownLists } from './shown-lists.ts'

const none: readonly Promise<void>[] = []
const maxInstructionChars = 16_384
/** How long a list request waits for a server whose entries are older than its `ttl`. */
const staleWaitMs = 1000

const listWords: Readonly<Record<ListKind, string>> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  templates: 'resource templates',
}

/** The parts of a view: the tables, which all callers share, and what its own caller sees of them. */
export interface ViewParts extends Pick<Catalog, 'owner' | 'unselected' | 'exposedUri' | 'seenBy'> {
  readonly settings: CatalogSettings
  readonly reach: Reach
  /** What the caller sees; undefined: everything that the view selects. */
  readonly sight: Sight | undefined
  readonly current: (kind: ListKind) => ShownLists
}

export function createView({ settings, reach, sight, current, owner, unselected, exposedUri, seenBy }: ViewParts): Catalog {
  const { servers, title, cursors } = settings
  const shown = (kind: ListKind) => current(kind).of(sight)
  /** The servers of which the caller could see anything. Others are neither waited for nor mentioned. */
  const seen = () => (sight === undefined && settings.selection === undefined ? servers : servers.filter((one) => isSeen(one, reach)))

  const listNow = (kind: ListKind, dialect: Dialect, cursor: string | undefined, scope: readonly string[]): Listed => {
    const part = shown(kind)
    const list = part.pages(dialect)
    return { answer: whyNot(kind, part.count) ?? pageOf(kind, list, cursor, scope), withheld: part.withheld }
  }

  const pageOf = (kind: ListKind, list: ListPages, cursor: string | undefined, scope: readonly string[]): Answer => {
    const bound = [...scope, kind]
    const index = cursor === undefined ? 0 : pageAt(list, cursors.open(cursor, bound) ?? '')
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
      ...(next === undefined ? [] : [`"nextCursor":${JSON.stringify(cursors.seal(cursorText(list, next), bound))}`]),
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
    owner,
    unselected,
    list(kind, dialect, cursor, scope) {
      const waiting = waits()
      return waiting === none
        ? listNow(kind, dialect, cursor, scope)
        : Promise.all(waiting).then(() => listNow(kind, dialect, cursor, scope))
    },
    async settled() {
      await Promise.all(waits())
    },
    toolCount() {
      // Makes all tables, so that conflicts are reported also for lists that nobody requests.
      for (const kind of listKinds) current(kind)
      return shown('tools').count
    },
    revision: (kind) =>
      listKinds
        .filter((one) => lists[one].capability === kind)
        .map((one) => shown(one).digest())
        .join(' '),
    toolsText: () => {
      const parts = shown('tools')
        .pages('modern')
        .pages.map(({ text }) => text.slice(text.indexOf('[') + 1, text.lastIndexOf(']')))
      return `{"tools":[${parts.filter((part) => part !== '').join(',')}]}`
    },
    offers: () => mergedOffers(servers, reach),
    instructions() {
      const own = seen()
      const texts = own.flatMap((server) => {
        const text = server.upstream.instructions()
        return text === undefined || text === '' ? [] : [own.length === 1 ? text : `[${server.name}]\n${text}`]
      })
      return texts.length === 0 ? undefined : texts.join('\n\n').slice(0, maxInstructionChars)
    },
    servers: seen,
    all: servers,
    exposedUri,
    seenBy,
  }
}

function whyDown(server: CatalogServer): string {
  return `${server.name} ${server.upstream.status().lastError ?? 'is down'}`
}
