import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ListKind, lists } from '../mcp/mcp.ts'
import { entry, keys, list, open, refusal, result, unmet, upstream } from './open-for-test.ts'

const tool = (name: string, more?: string) => entry('tools', name, more)

test('names carry their server where they are prefixed, and lead to it', () => {
  for (const kind of ['tools', 'prompts'] as const) {
    const [a, b] = [upstream('a', { [kind]: ['x', 'y'] }), upstream('b', { [kind]: ['x'] })]
    const { catalog, told } = open([a, b])
    assert.deepEqual(keys(list(catalog, kind)), ['a_x', 'a_y', 'b_x'])
    const owner = catalog.owner({ kind, name: 'b_x' })
    assert.deepEqual([owner?.server, owner?.upstream, owner?.addressed], ['b', b, { name: 'x', paramHeaders: [] }])
    assert.equal(catalog.owner({ kind, name: 'b_x' }), owner)
    for (const name of ['x', 'b_y', 'a_', '_x', 'A_x', 'constructor', '__proto__']) assert.equal(catalog.owner({ kind, name }), undefined)
    const other = kind === 'tools' ? 'prompts' : 'tools'
    assert.equal(catalog.owner({ kind: other, name: 'b_x' }), undefined)
    assert.deepEqual(
      told.filter(([event, names]) => event === 'selectsNothing' || names.length > 0),
      [],
    )
  }
})

test('bare names: the first server of the document has an equal one, and the loser is told once', () => {
  const [a, b] = [upstream('a', { tools: ['x'], prompts: ['p'] }), upstream('b', { tools: ['x', 'y'], prompts: ['p'] })]
  const { catalog, told } = open([a, b], { isPrefixed: false })
  assert.deepEqual(keys(list(catalog, 'tools', 'legacy')), ['x', 'y'])
  assert.equal(catalog.owner({ kind: 'tools', name: 'x' })?.server, 'a')
  list(catalog, 'tools')
  assert.deepEqual(told, [['conflicts', ['b_x']]])
  assert.deepEqual(keys(list(catalog, 'prompts')), ['p'])
  assert.deepEqual(told[1], ['conflicts', ['b_x', 'b_p']])
})

test('equal names are settled before anybody’s selection: a name never means two tools', () => {
  const [a, b] = [upstream('a', { tools: ['x'] }), upstream('b', { tools: ['x', 'y'] })]
  const { catalog } = open([a, b], { isPrefixed: false, selection: { tools: ['b_*'] } })
  assert.deepEqual(keys(list(catalog, 'tools', 'legacy')), ['y'])
  assert.equal(catalog.owner({ kind: 'tools', name: 'x' }), undefined)
})

test('what is not selected is not there', () => {
  const server = upstream('a', { tools: ['x', 'y'], prompts: ['x', 'y'] })
  const { catalog } = open([server], { selection: { tools: ['a_*', '!a_y'], prompts: ['a_y'] } })
  assert.deepEqual([keys(list(catalog, 'tools')), keys(list(catalog, 'prompts'))], [['a_x'], ['a_y']])
  const has = (kind: 'tools' | 'prompts', name: string) => catalog.owner({ kind, name }) !== undefined
  assert.deepEqual([has('tools', 'a_y'), has('tools', 'a_nothing'), has('prompts', 'a_x')], [false, false, false])
  assert.deepEqual([has('tools', 'a_x'), has('prompts', 'a_y'), catalog.toolCount()], [true, true, 1])
})

for (const kind of ['tools', 'prompts', 'resources', 'templates'] as const) {
  test(`the list of ${kind} is the same bytes until something changes, and then another revision`, () => {
    const [a, b] = [upstream('a', { [kind]: ['x:', 'y:'] }), upstream('b', { [kind]: ['z:'] })]
    const { catalog } = open([a, b])
    const before = result(list(catalog, kind, 'legacy')).result
    const { capability } = lists[kind]
    const revision = catalog.revision(capability)
    assert.equal(result(list(catalog, kind, 'legacy')).result, before)
    a.lists[kind] = [entry(kind, 'x:'), entry(kind, 'y:')]
    assert.equal(result(list(catalog, kind, 'legacy')).result, before)
    assert.equal(catalog.revision(capability), revision)
    const other = kind === 'tools' ? 'prompts' : 'tools'
    a.lists[other] = [entry(other, 'new')]
    assert.equal(catalog.revision(capability), revision)
    a.lists[kind] = [entry(kind, 'y:'), entry(kind, 'x:')]
    assert.notEqual(catalog.revision(capability), revision)
    const prefix = kind === 'tools' || kind === 'prompts' ? '_' : '+'
    assert.deepEqual(keys(list(catalog, kind, 'legacy')), [`a${prefix}y:`, `a${prefix}x:`, `b${prefix}z:`])
  })
}

test('what only the selection keeps away is told apart from what nobody has', () => {
  const offered = { tools: ['x', 'y'], prompts: ['x', 'y'], resources: ['r:1', 'r:2'] }
  const selection = { tools: ['a_x', 'b_*'], prompts: ['a_x', 'b_*'], resources: ['a+r:1', 'b+*'] }
  const { catalog } = open([upstream('a', offered), upstream('b', offered)], { selection })
  const bare = open([upstream('a', offered)], { selection, isPrefixed: false }).catalog
  const rows: readonly (readonly [kind: 'tools' | 'prompts' | 'resources', name: string, server: string | undefined, bareName: string])[] =
    [
      ['tools', 'a_x', undefined, 'x'],
      ['tools', 'a_y', 'a', 'y'],
      ['tools', 'a_z', undefined, 'z'],
      ['tools', 'c_y', undefined, 'c_y'],
      ['prompts', 'a_y', 'a', 'y'],
      ['prompts', 'a_z', undefined, 'z'],
      ['resources', 'a+r:1', undefined, 'r:1'],
      ['resources', 'a+r:2', 'a', 'r:2'],
      ['resources', 'a+other:1', 'a', 'other:1'],
      ['resources', 'c+r:2', undefined, ''],
    ]
  for (const [kind, name, server, bareName] of rows) {
    assert.equal(catalog.unselected({ kind, name }), server, name)
    if (bareName !== '') assert.equal(bare.unselected({ kind, name: bareName }), server, bareName)
  }
  const { catalog: all } = open([upstream('a', offered)])
  for (const name of ['a_y', 'a_z']) assert.equal(all.unselected({ kind: 'tools', name }), undefined)
})

test('every character of an entry but its name is the server’s, and the name too where it stays', () => {
  const more = '"description" : "a\\u00e9",  "inputSchema":{"type":"object","maximum":1e400, "default": 1.0}'
  const server = upstream('a', { tools: [tool('x"\\', more)], resources: [entry('resources', 'x:1', more)] })
  const { catalog } = open([server])
  assert.equal(result(list(catalog, 'tools')).result, `{"tools":[{"name":${JSON.stringify('a_x"\\')},${more}}]}`)
  assert.equal(result(list(catalog, 'resources')).result, `{"resources":[{"uri":"a+x:1",${more}}]}`)
  const odd = { key: 'x', text: '{"name" : "\\u0078" }', keyStart: 10, keyEnd: 18, paramHeaders: [] }
  const bare = open([upstream('a', { prompts: [odd] })], { isPrefixed: false }).catalog
  assert.equal(result(list(bare, 'prompts')).result, '{"prompts":[{"name" : "\\u0078" }]}')
})

test('what an era does not know is left out for it', () => {
  const tools = [
    tool('o', '"outputSchema":{"type":"object"}'),
    tool('l', '"outputSchema":{"type":"array"}'),
    tool('t', '"execution":{"taskSupport":"required"},"title":"t"'),
  ]
  const { catalog } = open([upstream('a', { tools })], { isPrefixed: false })
  const rows = [
    [
      'modern',
      [
        ['name', 'outputSchema'],
        ['name', 'outputSchema'],
        ['name', 'title'],
      ],
    ],
    ['legacy', [['name', 'outputSchema'], ['name'], ['name', 'title']]],
    ['early', [['name'], ['name'], ['name', 'title']]],
  ] as const
  for (const [dialect, expected] of rows) {
    const shown: { tools: object[] } = JSON.parse(result(list(catalog, 'tools', dialect)).result)
    assert.deepEqual(
      shown.tools.map((one) => Object.keys(one)),
      expected,
      dialect,
    )
  }
})

test('true and false as schemas of arguments are objects for clients that know no others', () => {
  const tools = [tool('x', '"inputSchema":{"type":"object","properties":{"p":true,"q":false,"r":{"x":1.0}}}')]
  const { catalog } = open([upstream('a', { tools })])
  for (const dialect of ['legacy', 'early'] as const)
    assert.match(result(list(catalog, 'tools', dialect)).result, /"properties":\{"p":\{\},"q":\{"not":\{\}\},"r":\{"x":1\.0\}\}/)
  assert.match(result(list(catalog, 'tools')).result, /"properties":\{"p":true,"q":false,/)
})

test('a tool’s page in MCP Apps is found under its exposed URI, in both spellings', () => {
  const meta = '"_meta":{"ui/resourceUri":"ui://x/1" ,"ui":{"a":1,"resourceUri":"ui://x/1"},"other":"ui://x/1"}'
  const odd = '"_meta":{"ui":{"resourceUri":"https://a.example/"},"ui/resourceUri":7}'
  const server = upstream('a', { tools: [tool('x', meta), tool('y', odd)] })
  const expected = meta.replace('"ui://x/1" ,', '"ui://a+x/1" ,').replace('"resourceUri":"ui://x/1"', '"resourceUri":"ui://a+x/1"')
  assert.equal(result(list(open([server]).catalog, 'tools')).result, `{"tools":[{"name":"a_x",${expected}},{"name":"a_y",${odd}}]}`)
  const bare = open([server], { isPrefixed: false }).catalog
  assert.equal(result(list(bare, 'tools')).result, `{"tools":[{"name":"x",${meta}},{"name":"y",${odd}}]}`)
})

test('a list waits a second for what has grown old, then shows what is known', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const hung = upstream('a', { tools: ['x'] })
  hung.fresh = () => new Promise(() => {})
  const { catalog } = open([hung])
  const listed = list(catalog, 'tools', 'legacy')
  t.mock.timers.tick(1000)
  assert.deepEqual(keys(await listed), ['a_x'])
})

test('a server that is down keeps its tools, the list says so, and may not be cached', () => {
  const [a, b] = [upstream('a', { tools: ['x'] }), upstream('b', { tools: ['y'] })]
  const { catalog } = open([a, b])
  Object.assign(a, { state: 'down', error: 'can’t be reached' })
  const answer = result(list(catalog, 'tools'))
  assert.deepEqual(keys(answer), ['a_x', 'b_y'])
  assert.deepEqual([answer.cache, answer.hasMeta], [{ ttlMs: 0, scope: 'public' }, true])
  assert.ok(answer.result.endsWith('],"_meta":{"mcplex.dev/missing":["a"]}}'), answer.result)
  assert.equal(catalog.owner({ kind: 'tools', name: 'a_x' })?.upstream, a)
})

test('who is missing is told in the order of the document, and only who has or may have the list', () => {
  const prompter = Object.assign(upstream('b', { prompts: ['p'] }), { state: 'down' })
  const part = upstream('c', { tools: ['x'], prompts: ['p'] })
  part.hint = { ttlMs: 0, isPublic: true, isWhole: false }
  const servers = [unmet('a', 'down'), prompter, part, upstream('d', { tools: ['y'] })]
  const { catalog } = open(servers)
  const missing = (kind: ListKind) => JSON.parse(result(list(catalog, kind)).result)._meta?.['mcplex.dev/missing']
  assert.deepEqual(
    ['tools', 'prompts', 'resources'].map((kind) => missing(kind as ListKind)),
    [['a', 'c'], ['a', 'b', 'c'], ['a']],
  )
  const chosen = open(servers, { selection: { tools: ['d_*'] } }).catalog
  assert.deepEqual([result(list(chosen, 'tools')).hasMeta, result(list(chosen, 'tools')).cache?.ttlMs], [false, 60_000])
})

test('a short ttl alone is no sign of a missing part', () => {
  const server = upstream('a', { tools: ['x'] })
  server.hint = { ttlMs: 0, isPublic: true, isWhole: true }
  assert.equal(result(list(open([server]).catalog, 'tools')).hasMeta, false)
})

test('failure open lists the rest, failure closed nothing, naming who is missing and why', () => {
  const down = unmet('a', 'down', 'can’t be reached')
  const up = upstream('b', { tools: ['y'], prompts: [] })
  for (const [kind, shown] of [
    ['tools', ['b_y']],
    ['prompts', []],
    ['resources', []],
  ] as const) {
    assert.deepEqual(keys(list(open([down, up]).catalog, kind)), shown)
    const closed = refusal(list(open([down, up], { isRequired: true }).catalog, kind))
    assert.deepEqual([closed.reason, closed.server], ['upstream-down', 'a'])
    assert.match(closed.text, /agent "x".*a can’t be reached/)
    const all = refusal(list(open([down]).catalog, kind))
    assert.deepEqual([all.reason, all.data], ['upstream-down', { servers: ['a'] }])
  }
})

test('an empty list: fine without a selection, an error that names the agent where it has no tool', () => {
  assert.deepEqual(keys(list(open([upstream('a', { tools: [] })]).catalog, 'tools')), [])
  assert.deepEqual(keys(list(open([]).catalog, 'tools')), [])
  const { catalog } = open([upstream('a', { tools: ['x'], prompts: ['x'], resources: ['x:'] })], { selection: { tools: ['a_nothing'] } })
  const refused = refusal(list(catalog, 'tools', 'legacy'))
  assert.equal(refused.reason, 'no-tools')
  assert.match(refused.text, /agent "x"/)
  for (const kind of ['prompts', 'resources', 'templates'] as const) assert.deepEqual(keys(list(catalog, kind)), [])
})

test('a list whose every server is down is an error, though others of the view are up', () => {
  const down = Object.assign(upstream('a', { resources: [] }), { state: 'down', error: 'is gone' })
  const { catalog } = open([down, upstream('b', { tools: ['x'] })])
  assert.deepEqual(refusal(list(catalog, 'resources')).data, { servers: ['a'] })
  assert.deepEqual(keys(list(catalog, 'prompts')), [])
  const agent = open([down], { selection: { tools: ['*'] }, isRequired: true }).catalog
  assert.deepEqual(keys(list(agent, 'resources')), [])
})

test('a list lives as long as the shortest-lived of its parts, and is public only where all are and nothing is selected', () => {
  const [a, b] = [upstream('a', { tools: ['x'] }), upstream('b', { tools: ['y'] })]
  const idle = upstream('c', { prompts: [] })
  idle.hint = { ttlMs: 1, isPublic: false, isWhole: true }
  const cacheOf = (...[upstreams, options]: Parameters<typeof open>) => result(list(open(upstreams, options).catalog, 'tools')).cache
  b.hint = { ttlMs: 7, isPublic: true, isWhole: true }
  assert.deepEqual(cacheOf([a, b, idle]), { ttlMs: 7, scope: 'public' })
  assert.deepEqual(cacheOf([a, b], { selection: { tools: ['*'] } }), { ttlMs: 7, scope: 'private' })
  a.hint = { ttlMs: 9, isPublic: false, isWhole: true }
  assert.deepEqual(cacheOf([a, b]), { ttlMs: 7, scope: 'private' })
  assert.deepEqual(cacheOf([]), { ttlMs: 0, scope: 'public' })
})

test('a list waits for servers that have not been heard of, together', async () => {
  const [a, b] = [upstream('a', { tools: [] }), upstream('b', { tools: ['y'] })]
  const { promise, resolve } = Promise.withResolvers<void>()
  a.fresh = () => promise
  const answer = list(open([a, b]).catalog, 'tools')
  assert.ok(answer instanceof Promise)
  a.lists.tools = [tool('late')]
  resolve()
  assert.deepEqual(keys(await answer), ['a_late', 'b_y'])
})

test('patterns that select nothing are told only of servers that have answered, and once', () => {
  const [a, b] = [upstream('a', { tools: ['x'] }), upstream('b', {})]
  b.state = 'connecting'
  const { catalog, told } = open([a, b], { selection: { tools: ['a_x', 'a_nothing', 'b_nothing', '!b_other', '*_nowhere'] } })
  const heard = () => told.filter(([event]) => event === 'selectsNothing').map(([, patterns]) => patterns)
  list(catalog, 'tools', 'legacy')
  assert.deepEqual(heard(), [['a_nothing']])
  b.state = 'ready'
  b.lists.tools = [tool('y')]
  list(catalog, 'tools', 'legacy')
  list(catalog, 'tools')
  assert.deepEqual(heard(), [['a_nothing'], ['a_nothing', 'b_nothing', '!b_other', '*_nowhere']])
})

test('patterns are told also where the server answered with nothing at all, of every kind', () => {
  const [a, b] = [upstream('a', { resources: ['x:1'], templates: ['y:{id}'] }), unmet('b', 'connecting')]
  const selection = { tools: ['b_x'], prompts: ['b_p'], resources: ['a+x:1', 'a+y:7', 'b+x:1'] }
  const { catalog, told } = open([a, b], { selection })
  assert.equal(catalog.toolCount(), 0)
  b.state = 'ready'
  for (const kind of ['tools', 'prompts', 'resources', 'templates'] as const) b.lists[kind] = []
  catalog.toolCount()
  assert.deepEqual(told.filter(([event]) => event === 'selectsNothing').at(-1), ['selectsNothing', ['b_x', 'b_p', 'b+x:1']])
})

test('instructions: one server’s as they are, several under their names, none at all', () => {
  const [a, b] = [upstream('a', {}), upstream('b', {})]
  assert.equal(open([a, b]).catalog.instructions(), undefined)
  a.text = 'Be brief.'
  assert.equal(open([a]).catalog.instructions(), 'Be brief.')
  b.text = 'x'.repeat(100_000)
  const both = open([a, b]).catalog.instructions() ?? ''
  assert.ok(both.startsWith('[a]\nBe brief.\n\n[b]\nxxx') && both.length === 16_384)
  assert.equal(
    open([a, b], { selection: { tools: ['a_*'] } }).catalog.instructions(),
    'Be brief.',
    'an agent hears nothing of servers that it can not see',
  )
})
