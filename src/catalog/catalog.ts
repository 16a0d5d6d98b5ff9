import { type Answer, type EraName, type Refusal, refuse } from '../mcp/mcp.ts'
import type { ToolEntry, Upstream } from '../upstream/upstream.ts'
import { exposedTool } from './exposed-tool.ts'
import { createSelection } from './selection.ts'

export { matches } from './selection.ts'

/** A server in a merged view: `name` is its key in the document, unique in the view. */
export interface CatalogServer {
  readonly name: string
  readonly upstream: Upstream
  /** Whether its tools carry its name here. */
  readonly isPrefixed: boolean
  /** Whether a list without it fails rather than shows the rest. */
  readonly isRequired: boolean
}

export interface CatalogSettings {
  /** Agent or backend, for people. */
  readonly title: string
  /** Patterns over `<server>_<name>`; undefined: everything. */
  readonly selection: readonly string[] | undefined
  readonly servers: readonly CatalogServer[]
}

export interface CatalogEvents {
  /** Names that lose to an equal one of an earlier server, or for which a list has no room. */
  conflicts(names: readonly string[]): void
  /** Patterns that match nothing although the server that they name answers. */
  selectsNothing(patterns: readonly string[]): void
}

/** Who has a tool, and what it is called there. */
export interface Owner {
  readonly server: string
  readonly upstream: Upstream
  readonly tool: ToolEntry
}

/** One merged view of many servers, as one kind of caller sees it: a hidden name and an unknown name are the same. */
export interface Catalog {
  owner(exposedName: string): Owner | undefined
  /** The merged `tools/list`, in the order of the document, then the server's: the same bytes until something changes. */
  list(era: EraName): Answer | Promise<Answer>
  /** Resolves when every server has been heard of once, or is known to be down. */
  settled(): Promise<void>
  toolCount(): number
  /** Changes exactly when the list does. */
  revision(): string
  /** The servers' own instructions, each under its name where there are several. */
  instructions(): string | undefined
}

interface Table {
  readonly sources: readonly (readonly ToolEntry[])[]
  readonly owners: ReadonlyMap<string, Owner>
  readonly tools: readonly { readonly name: string; readonly entry: ToolEntry }[]
  readonly lists: Map<EraName, string>
}

const none: readonly Promise<void>[] = []
const maxInstructionChars = 16_384
/** Of all tools of one view together: no client could use more, and no string could hold much more. */
const maxListChars = 64 * 1024 * 1024
/** How long a list waits for a server whose part of it is past its ttl. */
const staleWaitMs = 1000

export function createCatalog(settings: CatalogSettings, events: CatalogEvents): Catalog {
  const { servers } = settings
  const selection = settings.selection === undefined ? undefined : createSelection(settings.selection)
  let current: Table | undefined
  let reported = ''

  const table = (): Table => {
    if (current?.sources.every((source, i) => source === servers[i]?.upstream.tools())) return current
    current = build()
    return current
  }

  const build = (): Table => {
    const owners = new Map<string, Owner>()
    const tools: { name: string; entry: ToolEntry }[] = []
    const lost: string[] = []
    let chars = 0
    const sources = servers.map((server) => server.upstream.tools())
    servers.forEach((server, i) => {
      for (const entry of sources[i] ?? []) {
        const full = `${server.name}_${entry.name}`
        const name = server.isPrefixed ? full : entry.name
        // Names are settled before anybody's selection: a name never means different tools to different callers.
        if (owners.has(name)) lost.push(full)
        else {
          owners.set(name, { server: server.name, upstream: server.upstream, tool: entry })
          if (selection !== undefined && !selection.selects(full)) continue
          chars += entry.text.length + name.length
          if (chars <= maxListChars) tools.push({ name, entry })
          else lost.push(full)
        }
      }
    })
    report(sources, lost)
    if (selection !== undefined || chars > maxListChars) {
      const visible = new Set(tools.map((tool) => tool.name))
      for (const name of owners.keys()) if (!visible.has(name)) owners.delete(name)
    }
    return { sources, owners, tools, lists: new Map() }
  }

  const report = (sources: Table['sources'], lost: readonly string[]) => {
    const full = servers.flatMap((server, i) => (sources[i] ?? []).map((entry) => `${server.name}_${entry.name}`))
    const unheard = servers.filter((server) => server.upstream.status().state !== 'ready').map((server) => server.name)
    const mayStillMatch = (pattern: string) => unheard.some((name) => couldMatchServer(pattern.replace(/^!/, ''), name))
    const unused = (selection?.unused(full) ?? []).filter((pattern) => !mayStillMatch(pattern))
    const text = JSON.stringify([lost, unused])
    if (text === reported) return
    reported = text
    events.conflicts(lost)
    if (unused.length > 0) events.selectsNothing(unused)
  }

  const textFor = (era: EraName): string => {
    const { lists, tools } = table()
    let text = lists.get(era)
    if (text === undefined) {
      text = `{"tools":[${tools.map((tool) => exposedTool(tool.entry, tool.name, era)).join(',')}]}`
      lists.set(era, text)
    }
    return text
  }

  const listNow = (era: EraName): Answer => {
    const result = textFor(era)
    const refusal = whyNot(table().tools.length)
    if (refusal !== undefined) return refusal
    let ttlMs = Number.MAX_SAFE_INTEGER
    let isPublic = settings.selection === undefined
    for (const { upstream } of servers) {
      const hint = upstream.cacheHint()
      ttlMs = Math.min(ttlMs, hint.ttlMs)
      isPublic &&= hint.isPublic
    }
    return {
      kind: 'complete',
      result,
      isError: false,
      hasMeta: false,
      cache: { ttlMs: servers.length === 0 ? 0 : ttlMs, scope: isPublic ? 'public' : 'private' },
    }
  }

  const whyNot = (toolCount: number): Refusal | undefined => {
    const down = servers.filter((server) => server.upstream.status().state === 'down')
    const missing = down.find((server) => server.isRequired)
    if (missing !== undefined) {
      const text = `${settings.title} lists nothing while a server is missing (failure: closed): ${whyDown(missing)}`
      return refuse('upstream-down', text, { server: missing.name })
    }
    if (toolCount > 0 || (selection === undefined && down.length < servers.length) || servers.length === 0) return undefined
    if (down.length > 0)
      return refuse('upstream-down', `${settings.title} has no tools: ${down.map(whyDown).join('; ')}`, {
        data: { servers: down.map((server) => server.name) },
      })
    return refuse('no-tools', `${settings.title} has no tools: what it selects matches nothing that its servers offer`)
  }

  /** What has to be waited for: a server that was not heard of yet, and for a moment one whose part has grown old. */
  const waits = (): readonly Promise<void>[] => {
    let waiting: Promise<void>[] | undefined
    for (const { upstream } of servers) {
      const fresh = upstream.ensureFresh()
      if (fresh === undefined) continue
      waiting ??= []
      // What is known serves meanwhile: a server that hangs holds up a list no longer than this.
      waiting.push(upstream.status().state === 'connecting' ? fresh : withinMs(fresh, staleWaitMs))
    }
    return waiting ?? none
  }

  return {
    owner: (name) => table().owners.get(name),
    list(era) {
      const waiting = waits()
      return waiting === none ? listNow(era) : Promise.all(waiting).then(() => listNow(era))
    },
    async settled() {
      await Promise.all(waits())
    },
    toolCount: () => table().tools.length,
    revision: () => textFor('modern'),
    instructions() {
      const texts = servers.flatMap((server) => {
        const text = server.upstream.instructions()
        return text === undefined || text === '' ? [] : [servers.length === 1 ? text : `[${server.name}]\n${text}`]
      })
      return texts.length === 0 ? undefined : texts.join('\n\n').slice(0, maxInstructionChars)
    },
  }
}

function withinMs(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void promise.finally(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function whyDown(server: CatalogServer): string {
  return `${server.name} ${server.upstream.status().lastError ?? 'is down'}`
}

/** Whether a pattern could name a tool of that server once it answers. */
function couldMatchServer(pattern: string, server: string): boolean {
  const star = pattern.indexOf('*')
  const head = star < 0 ? pattern : pattern.slice(0, star)
  const full = `${server}_`
  return head.startsWith(full) || (star >= 0 && full.startsWith(head))
}
