import { type Answer, changeKinds, type Dialect, type ListKind, listKinds, lists, type Refusal, refuse, within } from '../mcp/mcp.ts'
import { createExpose } from './expose-answer.ts'
import { exposedUri } from './exposed-uri.ts'
import { cursorText, type ListPages, pageAt, pageBounds, pagesOf } from './list-pages.ts'
import { buildTable, type ListTable, type MergedServer } from './list-table.ts'
import { isReached, isSeen, mayOffer, mergedOffers, type Selections } from './merged-offers.ts'
import type { Catalog, CatalogEvents, CatalogServer, CatalogSettings } from './model.ts'
import { createReport } from './report.ts'
import { createFindResource, prefixedUri } from './resource-owners.ts'
import { createSelection } from './selection.ts'

export type { Catalog, CatalogEvents, CatalogServer, CatalogSettings, CursorSealer, Expose, Owner, SelectionPatterns } from './model.ts'

const none: readonly Promise<void>[] = []
const maxInstructionChars = 16_384
/** How long a list waits for a server whose part of it is past its ttl. */
const staleWaitMs = 1000

const listWords: Readonly<Record<ListKind, string>> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  templates: 'resource templates',
}

/** A table and what was made of it. */
interface Current {
  readonly table: ListTable
  /** By dialect. */
  readonly read: Map<Dialect, ListPages>
}

export function createCatalog(settings: CatalogSettings, events: CatalogEvents): Catalog {
  const { servers, title, cursors } = settings
  const selections = selectionsOf(settings)
  const merged = servers.map((server): MergedServer => {
    const isListed = (uri: string) => {
      const exposed = exposedUri(server.name, uri)
      return current('resources').table.owners.has(exposed) && findResource(exposed) !== undefined
    }
    return { server, expose: server.isPrefixed ? createExpose(server.name, isListed) : (answer) => answer }
  })
  const byName = new Map(merged.map((one) => [one.server.name, one]))
  const seen = servers.filter((server) => isSeen(server, selections))
  const report = createReport(servers, selections, events)
  const known: { [K in ListKind]?: Current } = {}

  const current = (kind: ListKind): Current => {
    const last = known[kind]
    if (last !== undefined && isOf(last.table, servers)) return last
    const sources = servers.map(({ upstream }) => upstream.entries(kind))
    const isTaken = (uri: string) => prefixedUri(byName, uri) !== undefined
    const next: Current = { table: buildTable(kind, merged, sources, selections(kind), isTaken), read: new Map() }
    known[kind] = next
    report(next.table)
    return next
  }

  const findResource = createFindResource(byName, (kind) => current(kind).table, selections('resources'))

  const pagesFor = (kind: ListKind, dialect: Dialect): ListPages => {
    const { table, read } = current(kind)
    let pages = read.get(dialect)
    if (pages === undefined) {
      pages = pagesOf(table, dialect, pageBounds)
      read.set(dialect, pages)
    }
    return pages
  }

  const listNow = (kind: ListKind, dialect: Dialect, cursor: string | undefined, scope: readonly string[]): Answer => {
    const list = pagesFor(kind, dialect)
    const refusal = whyNot(kind, current(kind).table.shown.length)
    if (refusal !== undefined) return refusal
    const bound = [...scope, kind]
    const index = cursor === undefined ? 0 : pageAt(list, cursors.open(cursor, bound) ?? '')
    const page = index === undefined ? undefined : list.pages[index]
    if (index === undefined || page === undefined)
      return refuse('invalid-params', 'this cursor is of no list that is there now: start again without one')
    const next = list.pages[index + 1]
    let ttlMs = Number.MAX_SAFE_INTEGER
    let isPublic = settings.selection === undefined
    let isEmpty = true
    const missing: string[] = []
    for (const server of servers) {
      if (!mayOffer(server.upstream, kind) || !isReached(server, kind, selections)) continue
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
    // An agent that has no tool is set up wrongly; one that has no prompt is not, whoever is down.
    const concerned = kind === 'tools' ? servers : servers.filter((server) => isReached(server, kind, selections))
    const down = concerned.filter((server) => isDown(server) && mayOffer(server.upstream, kind))
    const required = down.find((server) => server.isRequired)
    if (required !== undefined) {
      const text = `${title} lists nothing while a server is missing (failure: closed): ${whyDown(required)}`
      return refuse('upstream-down', text, { server: required.name })
    }
    if (shownCount > 0 || concerned.length === 0) return undefined
    const offering = concerned.filter(({ upstream }) => upstream.offers()[lists[kind].capability])
    const isNobodyUp = down.length === concerned.length || (offering.length > 0 && offering.every(isDown))
    const mustShow = kind === 'tools' && settings.selection !== undefined
    if (isNobodyUp || (mustShow && down.length > 0))
      return refuse('upstream-down', `${title} has no ${listWords[kind]}: ${down.map(whyDown).join('; ')}`, {
        data: { servers: down.map((server) => server.name) },
      })
    if (!mustShow) return undefined
    return refuse('no-tools', `${title} has no tools: what it selects matches nothing that its servers offer`)
  }

  /** What has to be waited for: a server that was not heard of yet, and for a moment one whose part has grown old. */
  const waits = (): readonly Promise<void>[] => {
    let waiting: Promise<void>[] | undefined
    for (const { upstream } of servers) {
      const fresh = upstream.ensureFresh()
      if (fresh === undefined) continue
      waiting ??= []
      // What is known serves meanwhile: a server that hangs holds up a list no longer than this.
      waiting.push(upstream.status().state === 'connecting' ? fresh : within(staleWaitMs, fresh))
    }
    return waiting ?? none
  }

  return {
    owner: ({ kind, name }) => (kind === 'resources' ? findResource(name) : current(kind).table.owners.get(name)),
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
      // Whoever counts wants to hear of conflicts too, also of lists that nobody asks for.
      for (const kind of listKinds) current(kind)
      return current('tools').table.shown.length
    },
    revision: (kind) =>
      listKinds
        .filter((one) => lists[one].capability === kind)
        .map((one) => pagesFor(one, 'modern').digest)
        .join(' '),
    offers: () => mergedOffers(servers, selections),
    instructions() {
      const texts = seen.flatMap((server) => {
        const text = server.upstream.instructions()
        return text === undefined || text === '' ? [] : [seen.length === 1 ? text : `[${server.name}]\n${text}`]
      })
      return texts.length === 0 ? undefined : texts.join('\n\n').slice(0, maxInstructionChars)
    },
    servers: () => seen,
    exposedUri: (server, uri) => (byName.get(server)?.server.isPrefixed ? exposedUri(server, uri) : uri),
  }
}

/** On the way of every call: no closure. */
function isOf({ kind, sources }: ListTable, servers: readonly CatalogServer[]): boolean {
  for (let i = 0; i < servers.length; i++) if (sources[i] !== servers[i]?.upstream.entries(kind)) return false
  return true
}

function selectionsOf({ selection }: CatalogSettings): Selections {
  if (selection === undefined) return () => undefined
  const [tools, prompts, resources] = changeKinds.map((kind) => createSelection(selection[kind]))
  const byKind = { tools, prompts, resources, templates: resources }
  return (kind) => byKind[kind]
}

function whyDown(server: CatalogServer): string {
  return `${server.name} ${server.upstream.status().lastError ?? 'is down'}`
}
