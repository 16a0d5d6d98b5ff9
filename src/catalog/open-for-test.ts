import assert from 'node:assert/strict'
import { type Answer, type Dialect, type ListKind, lists, noOffers, type Offers } from '../mcp/mcp.ts'
import type { ListEntry, Upstream, UpstreamStatus } from '../upstream/upstream.ts'
import { type Catalog, createCatalog, type SelectionPatterns } from './catalog.ts'

/** An upstream whose state a test sets. */
export interface FakeUpstream extends Upstream {
  lists: Record<ListKind, readonly ListEntry[]>
  state: UpstreamStatus['state']
  error: string | undefined
  hint: { ttlMs: number; isPublic: boolean; isWhole: boolean }
  fresh: (() => Promise<void>) | undefined
  text: string | undefined
  offered: Offers
}

export function entry(kind: ListKind, key: string, more = kind === 'tools' ? '"inputSchema":{"type":"object"}' : '"x":1'): ListEntry {
  const member = lists[kind].key
  const keyStart = member.length + 4
  return {
    key,
    text: `{"${member}":${JSON.stringify(key)},${more}}`,
    keyStart,
    keyEnd: keyStart + JSON.stringify(key).length,
    paramHeaders: [],
  }
}

type Entries = { readonly [K in ListKind]?: readonly (string | ListEntry)[] }

/** A server that offers the lists that are given. */
export function upstream(name: string, entries: Entries): FakeUpstream {
  const listOf = (kind: ListKind) => (entries[kind] ?? []).map((one) => (typeof one === 'string' ? entry(kind, one) : one))
  const fake: FakeUpstream = {
    lists: { tools: listOf('tools'), prompts: listOf('prompts'), resources: listOf('resources'), templates: listOf('templates') },
    state: 'ready',
    error: undefined,
    hint: { ttlMs: 60_000, isPublic: true, isWhole: true },
    fresh: undefined,
    text: undefined,
    offered: {
      ...noOffers,
      tools: entries.tools !== undefined,
      prompts: entries.prompts !== undefined,
      resources: entries.resources !== undefined || entries.templates !== undefined,
    },
    key: `b/${name}`,
    settings: {
      backend: 'b',
      name,
      identity: 'i',
      era: 'auto',
      requestMs: 1,
      listMs: 1,
      ttlMs: 1,
      pages: 1,
      entriesPerList: 1,
      listChars: 1,
      checkMs: 3000,
    },
    status: () => ({
      backend: 'b',
      name,
      state: fake.state,
      era: 'modern',
      version: undefined,
      serverName: undefined,
      tools: fake.lists.tools.length,
      prompts: fake.lists.prompts.length,
      resources: fake.lists.resources.length,
      lastError: fake.error,
      since: 0,
    }),
    entries: (kind) => fake.lists[kind],
    offers: () => fake.offered,
    instructions: () => fake.text,
    hold: () => () => {},
    cacheHint: () => fake.hint,
    ensureFresh: () => fake.fresh?.(),
    setEndpoints: unasked,
    send: unasked,
    hasSessions: () => false,
    openSession: unasked,
    endSession: unasked,
    respond: unasked,
    rootsChanged: unasked,
    setLevel: unasked,
    subscribe: unasked,
    follow: unasked,
    watch: unasked,
    async close() {},
  }
  return fake
}

/** A server that has not answered yet. */
export function unmet(name: string, state: 'connecting' | 'down', error?: string): FakeUpstream {
  return Object.assign(upstream(name, {}), { state, error, hint: { ttlMs: 0, isPublic: true, isWhole: true } })
}

function unasked(): never {
  assert.fail('a catalog sends nothing')
}

export interface Options {
  readonly selection?: Partial<SelectionPatterns>
  /** For all servers, or for each of them. */
  readonly isPrefixed?: boolean | readonly boolean[]
  readonly isRequired?: boolean
}

export function open(upstreams: readonly FakeUpstream[], { selection, isPrefixed = true, isRequired = false }: Options = {}) {
  const told: (readonly [string, readonly string[]])[] = []
  const catalog = createCatalog(
    {
      title: 'agent "x"',
      selection: selection && { tools: [], prompts: [], resources: [], ...selection },
      servers: upstreams.map((one, i) => ({
        name: one.settings.name,
        upstream: one,
        isPrefixed: typeof isPrefixed === 'boolean' ? isPrefixed : isPrefixed[i] === true,
        isRequired,
      })),
      cursors: openSealer,
    },
    { conflicts: (names) => told.push(['conflicts', names]), selectsNothing: (patterns) => told.push(['selectsNothing', patterns]) },
  )
  return { catalog, told }
}

/** Does not encrypt cursors, but still refuses one that was sealed for another `bound`. */
const openSealer = {
  seal: (text: string, bound: readonly string[]) => JSON.stringify([text, bound]),
  open(token: string, bound: readonly string[]): string | undefined {
    try {
      const [text, was] = JSON.parse(token)
      return JSON.stringify(was) === JSON.stringify(bound) ? text : undefined
    } catch {
      return undefined
    }
  },
}

export const scope = ['route', 'caller']

export function list(catalog: Catalog, kind: ListKind, dialect: Dialect = 'modern', cursor?: string): Answer | Promise<Answer> {
  return listIn(catalog, kind, scope, dialect, cursor)
}

/** As `list`, for clients of another scope. */
export function listIn(catalog: Catalog, kind: ListKind, own: readonly string[], dialect: Dialect = 'modern', cursor?: string) {
  const listed = catalog.list(kind, dialect, cursor, own)
  return listed instanceof Promise ? listed.then(({ answer }) => answer) : listed.answer
}

export function result(answer: Answer | Promise<Answer>): Extract<Answer, { kind: 'complete' }> {
  assert.ok(!(answer instanceof Promise) && answer.kind === 'complete', JSON.stringify(answer))
  return answer
}

export function refusal(answer: Answer | Promise<Answer>) {
  assert.ok(!(answer instanceof Promise) && answer.kind === 'refused', JSON.stringify(answer))
  return answer
}

/** The names or URIs of a list. */
export function keys(answer: Answer | Promise<Answer>): unknown[] {
  const body: Record<string, unknown> = JSON.parse(result(answer).result)
  return Object.values(lists).flatMap(({ member, key }) => {
    const shown = body[member]
    return Array.isArray(shown) ? shown.map((one) => one[key]) : []
  })
}
