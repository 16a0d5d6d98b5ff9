import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer } from '../mcp/mcp.ts'
import type { ToolEntry, Upstream, UpstreamStatus } from '../upstream/upstream.ts'
import { createCatalog } from './catalog.ts'

/** An upstream whose state a test sets; `refreshes` counts how often the catalog asked for the list. */
interface FakeUpstream extends Upstream {
  list: readonly ToolEntry[]
  state: UpstreamStatus['state']
  error: string | undefined
  hint: { ttlMs: number; isPublic: boolean }
  fresh: (() => Promise<void>) | undefined
  text: string | undefined
}

function entry(name: string, more = '"inputSchema":{"type":"object"}'): ToolEntry {
  const text = `{"name":${JSON.stringify(name)},${more}}`
  return { name, text, nameStart: 8, nameEnd: 8 + JSON.stringify(name).length, paramHeaders: [] }
}

function upstream(name: string, tools: readonly (string | ToolEntry)[]): FakeUpstream {
  const fake: FakeUpstream = {
    list: tools.map((tool) => (typeof tool === 'string' ? entry(tool) : tool)),
    state: 'ready',
    error: undefined,
    hint: { ttlMs: 60_000, isPublic: true },
    fresh: undefined,
    text: undefined,
    settings: { backend: 'b', name, era: 'auto', requestMs: 1, listMs: 1, ttlMs: 1, pages: 1, toolsPerServer: 1, listChars: 1 },
    status: () => ({
      backend: 'b',
      name,
      state: fake.state,
      era: 'modern',
      version: undefined,
      serverName: undefined,
      tools: fake.list.length,
      lastError: fake.error,
      since: 0,
    }),
    tools: () => fake.list,
    instructions: () => fake.text,
    cacheHint: () => fake.hint,
    ensureFresh: () => fake.fresh?.(),
    send: () => assert.fail('a catalog sends nothing'),
    endSession() {},
    async close() {},
  }
  return fake
}

interface Options {
  readonly selection?: readonly string[]
  readonly isPrefixed?: boolean
  readonly isRequired?: boolean
}

function open(upstreams: readonly FakeUpstream[], { selection, isPrefixed = true, isRequired = false }: Options = {}) {
  const told: (readonly [string, readonly string[]])[] = []
  const catalog = createCatalog(
    {
      title: 'agent "x"',
      selection,
      servers: upstreams.map((one) => ({ name: one.settings.name, upstream: one, isPrefixed, isRequired })),
    },
    { conflicts: (names) => told.push(['conflicts', names]), selectsNothing: (patterns) => told.push(['selectsNothing', patterns]) },
  )
  return { catalog, told }
}

function result(answer: Answer | Promise<Answer>): Extract<Answer, { kind: 'complete' }> {
  assert.ok(!(answer instanceof Promise) && answer.kind === 'complete', JSON.stringify(answer))
  return answer
}

function names(answer: Answer | Promise<Answer>): string[] {
  return (JSON.parse(result(answer).result) as { tools: { name: string }[] }).tools.map((tool) => tool.name)
}

function refusal(answer: Answer | Promise<Answer>) {
  assert.ok(!(answer instanceof Promise) && answer.kind === 'refused', JSON.stringify(answer))
  return answer
}

test('names carry their server where they are prefixed, and lead to it', () => {
  const [a, b] = [upstream('a', ['x', 'y']), upstream('b', ['x'])]
  const { catalog, told } = open([a, b])
  assert.deepEqual(names(catalog.list('legacy')), ['a_x', 'a_y', 'b_x'])
  assert.deepEqual(catalog.owner('b_x'), { server: 'b', upstream: b, tool: b.tools()[0] })
  for (const unknown of ['x', 'b_y', 'a_', '_x', 'A_x', 'constructor', '__proto__']) assert.equal(catalog.owner(unknown), undefined)
  assert.deepEqual(
    told.filter(([kind, list]) => kind === 'selectsNothing' || list.length > 0),
    [],
  )
})

test('bare names: the first server of the document has an equal one, and the loser is told once', () => {
  const [a, b] = [upstream('a', ['x']), upstream('b', ['x', 'y'])]
  const { catalog, told } = open([a, b], { isPrefixed: false })
  assert.deepEqual(names(catalog.list('legacy')), ['x', 'y'])
  assert.equal(catalog.owner('x')?.server, 'a')
  catalog.list('modern')
  assert.deepEqual(told, [['conflicts', ['b_x']]])
})

test('equal names are settled before anybody’s selection: a name never means two tools', () => {
  const [a, b] = [upstream('a', ['x']), upstream('b', ['x', 'y'])]
  const { catalog } = open([a, b], { isPrefixed: false, selection: ['b_*'] })
  assert.deepEqual(names(catalog.list('legacy')), ['y'])
  assert.equal(catalog.owner('x'), undefined)
})

test('what is not selected is not there', () => {
  const { catalog } = open([upstream('a', ['x', 'y'])], { selection: ['a_*', '!a_y'] })
  assert.deepEqual(names(catalog.list('modern')), ['a_x'])
  assert.deepEqual([catalog.owner('a_y'), catalog.owner('a_nothing'), catalog.toolCount()], [undefined, undefined, 1])
})

test('a list is the same bytes until something changes, and then another revision', () => {
  const [a, b] = [upstream('a', ['x', 'y']), upstream('b', ['z'])]
  const { catalog } = open([a, b])
  const before = result(catalog.list('legacy')).result
  const revision = catalog.revision()
  assert.equal(result(catalog.list('legacy')).result, before)
  a.list = [entry('x'), entry('y')]
  assert.equal(result(catalog.list('legacy')).result, before)
  assert.equal(catalog.revision(), revision)
  a.list = [entry('y'), entry('x')]
  assert.notEqual(catalog.revision(), revision)
  assert.deepEqual(names(catalog.list('legacy')), ['a_y', 'a_x', 'b_z'])
})

test('every character of a tool but its name is the server’s', () => {
  const more = '"description" : "a\\u00e9",  "inputSchema":{"type":"object","maximum":1e400, "default": 1.0}'
  const { catalog } = open([upstream('a', [entry('x"\\', more)])])
  assert.equal(result(catalog.list('modern')).result, `{"tools":[{"name":${JSON.stringify('a_x"\\')},${more}}]}`)
})

test('what an era does not know is left out for it', () => {
  const object = '"outputSchema":{"type":"object"}'
  const list = '"outputSchema":{"type":"array"}'
  const tools = [entry('o', object), entry('l', list), entry('t', '"execution":{"taskSupport":"required"},"title":"t"')]
  const { catalog } = open([upstream('a', tools)], { isPrefixed: false })
  const shown = (era: 'legacy' | 'modern') =>
    (JSON.parse(result(catalog.list(era)).result) as { tools: object[] }).tools.map((tool) => Object.keys(tool))
  assert.deepEqual(shown('legacy'), [['name', 'outputSchema'], ['name'], ['name', 'title']])
  assert.deepEqual(shown('modern'), [
    ['name', 'outputSchema'],
    ['name', 'outputSchema'],
    ['name', 'title'],
  ])
})

test('true and false as schemas of arguments are objects for clients that know no others', () => {
  const catalog = open([
    upstream('a', [entry('x', '"inputSchema":{"type":"object","properties":{"p":true,"q":false,"r":{"x":1.0}}}')]),
  ]).catalog
  assert.match(result(catalog.list('legacy')).result, /"properties":\{"p":\{\},"q":\{"not":\{\}\},"r":\{"x":1\.0\}\}/)
  assert.match(result(catalog.list('modern')).result, /"properties":\{"p":true,"q":false,/)
})

test('a list waits a second for what has grown old, then shows what is known', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const hung = upstream('a', ['x'])
  hung.fresh = () => new Promise(() => {})
  const { catalog } = open([hung])
  const listed = catalog.list('legacy')
  t.mock.timers.tick(1000)
  assert.deepEqual(names(await listed), ['a_x'])
})

test('a server that is down keeps its tools, and the list may not be cached', () => {
  const [a, b] = [upstream('a', ['x']), upstream('b', ['y'])]
  const { catalog } = open([a, b])
  Object.assign(a, { state: 'down', error: 'can’t be reached', hint: { ttlMs: 0, isPublic: true } })
  assert.deepEqual(names(catalog.list('modern')), ['a_x', 'b_y'])
  assert.deepEqual(result(catalog.list('modern')).cache, { ttlMs: 0, scope: 'public' })
  assert.equal(catalog.owner('a_x')?.upstream, a)
})

test('failure open lists the rest, failure closed nothing, naming who is missing and why', () => {
  const down = Object.assign(upstream('a', []), { state: 'down', error: 'can’t be reached' })
  const up = upstream('b', ['y'])
  assert.deepEqual(names(open([down, up]).catalog.list('modern')), ['b_y'])
  const closed = refusal(open([down, up], { isRequired: true }).catalog.list('modern'))
  assert.deepEqual([closed.reason, closed.server], ['upstream-down', 'a'])
  assert.match(closed.text, /agent "x".*a can’t be reached/)
  const all = refusal(open([down]).catalog.list('modern'))
  assert.deepEqual([all.reason, all.data], ['upstream-down', { servers: ['a'] }])
})

test('an empty list: fine without a selection, an error that names the agent with one', () => {
  assert.deepEqual(names(open([upstream('a', [])]).catalog.list('modern')), [])
  assert.deepEqual(names(open([]).catalog.list('modern')), [])
  const refused = refusal(open([upstream('a', ['x'])], { selection: ['a_nothing'] }).catalog.list('legacy'))
  assert.equal(refused.reason, 'no-tools')
  assert.match(refused.text, /agent "x"/)
})

test('a list lives as long as the shortest-lived of its parts, and is public only where all are and nothing is selected', () => {
  const [a, b] = [upstream('a', ['x']), upstream('b', ['y'])]
  b.hint = { ttlMs: 7, isPublic: true }
  assert.deepEqual(result(open([a, b]).catalog.list('modern')).cache, { ttlMs: 7, scope: 'public' })
  assert.deepEqual(result(open([a, b], { selection: ['*'] }).catalog.list('modern')).cache, { ttlMs: 7, scope: 'private' })
  a.hint = { ttlMs: 9, isPublic: false }
  assert.deepEqual(result(open([a, b]).catalog.list('modern')).cache, { ttlMs: 7, scope: 'private' })
  assert.deepEqual(result(open([]).catalog.list('modern')).cache, { ttlMs: 0, scope: 'public' })
})

test('a list waits for servers that have not been heard of, together', async () => {
  const [a, b] = [upstream('a', []), upstream('b', ['y'])]
  const { promise, resolve } = Promise.withResolvers<void>()
  a.fresh = () => promise
  const answer = open([a, b]).catalog.list('modern')
  assert.ok(answer instanceof Promise)
  a.list = [entry('late')]
  resolve()
  assert.deepEqual(names(await answer), ['a_late', 'b_y'])
})

test('patterns that select nothing are told only of servers that have answered, and once', () => {
  const [a, b] = [upstream('a', ['x']), upstream('b', [])]
  b.state = 'connecting'
  const { catalog, told } = open([a, b], { selection: ['a_x', 'a_nothing', 'b_nothing', '!b_other', '*_nowhere'] })
  const heard = () => told.filter(([kind]) => kind === 'selectsNothing').map(([, patterns]) => patterns)
  catalog.list('legacy')
  assert.deepEqual(heard(), [['a_nothing']])
  b.state = 'ready'
  b.list = [entry('y')]
  catalog.list('legacy')
  catalog.list('modern')
  assert.deepEqual(heard(), [['a_nothing'], ['a_nothing', 'b_nothing', '!b_other', '*_nowhere']])
})

test('patterns are told also where the server answered with no tools at all', () => {
  const b = upstream('b', [])
  b.state = 'connecting'
  const { catalog, told } = open([b], { selection: ['b_x'] })
  catalog.list('legacy')
  b.state = 'ready'
  b.list = []
  catalog.list('legacy')
  assert.deepEqual(
    told.filter(([kind]) => kind === 'selectsNothing').map(([, patterns]) => patterns),
    [['b_x']],
  )
})

test('instructions: one server’s as they are, several under their names, none at all', () => {
  const [a, b] = [upstream('a', []), upstream('b', [])]
  assert.equal(open([a, b]).catalog.instructions(), undefined)
  a.text = 'Be brief.'
  assert.equal(open([a]).catalog.instructions(), 'Be brief.')
  b.text = 'x'.repeat(100_000)
  const both = open([a, b]).catalog.instructions() ?? ''
  assert.ok(both.startsWith('[a]\nBe brief.\n\n[b]\nxxx') && both.length === 16_384)
})
