import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Item, lists, noOffers } from '../mcp/mcp.ts'
import type { Catalog, Sight } from './catalog.ts'
import { entry, open, upstream } from './open-for-test.ts'

/** Sees all but what a deny speaks of, as rules are asked: of every spelling. */
function without(isDenied: (uri: string) => boolean): Sight {
  return { sees: ({ name, spellings = [] }) => ![name, ...spellings].some(isDenied), reaches: () => true }
}

function isThere(catalog: Catalog, uri: string): boolean {
  return catalog.owner({ kind: 'resources', name: uri })?.addressed.name === uri.replace('s+', '')
}

/** What is denied, by what, and spellings that a server may read the same. */
const escapes: readonly (readonly [listed: string, isDenied: (uri: string) => boolean, spelled: readonly string[]])[] = [
  [
    'file:///docs/a@b.txt',
    (uri) => uri === 'file:///docs/a@b.txt',
    ['a%40b.txt', 'a@b.txt#', 'a@b.txt?', 'a@b.txt/', '/a@b.txt', './a@b.txt', '%61@b.txt'].map((end) => `file:///docs/${end}`),
  ],
  ['file:///docs/a%40b.txt', (uri) => uri === 'file:///docs/a%40b.txt', ['file:///docs/a@b.txt', 'file:////docs/a@b.txt']],
  [
    'file:///etc/secret/k',
    (uri) => uri.startsWith('file:///etc/secret/'),
    ['/etc//secret/k', '//etc/secret/k', '/etc\\secret/k', '/etc/secret%2Fk', '/etc/secret%2fk', '/etc/secret'].map(
      (end) => `file://${end}`,
    ),
  ],
  ['file:///my secret.txt', (uri) => uri.includes('my secret'), ['file:///my%20secret.txt']],
  ['file:///é.txt', (uri) => uri.includes('é'), ['file:///%C3%A9.txt', 'file:///%c3%a9.txt', 'file:///e\u0301.txt']],
  ['file:///%C3%A9.txt', (uri) => uri === 'file:///%C3%A9.txt', ['file:///é.txt', 'file:///%c3%a9.txt', 'file:///e%CC%81.txt']],
  [
    'file:///docs/x',
    (uri) => uri === 'file:///docs/x',
    ['HOST', 'localhost', 'LOCALHOST.', 'nas:80'].map((host) => `file://${host}/docs/x`),
  ],
  [
    'http://docs/x',
    (uri) => uri === 'http://docs/x',
    [
      'http://docs./x',
      'http://DOCS.:80/x',
      'HTTP://docs:80/x',
      'http:docs/x',
      'http://d%6Fcs/x',
      'http://u@docs./x',
      'http://docs./a/../x',
    ],
  ],
  ['http://b\u00fccher.de/x', (uri) => uri === 'http://b\u00fccher.de/x', ['http://xn--bcher-kva.de/x', 'http://XN--BCHER-KVA.de./x']],
  [
    'db://main/users',
    (uri) => uri === 'db://main/users',
    [
      'db://MAIN/users',
      'DB://main/users',
      'db://main/users/',
      'db://main/users#',
      'db://main./users',
      'db://main/users?',
      'db://u@main/users',
    ],
  ],
]

test('what is hidden can’t be had by another spelling, whether it is listed or not', () => {
  for (const [listed, isDenied, spelled] of escapes) {
    for (const resources of [[listed], ['x:1']]) {
      const { catalog } = open([upstream('s', { resources })])
      const seen = catalog.seenBy(without(isDenied))
      const hidden = resources.includes(listed) ? [listed, ...spelled] : [listed]
      for (const uri of hidden) assert.equal(isThere(seen, `s+${uri}`), false, `${uri} besides ${listed}`)
    }
  }
})

test('an agent’s patterns take every spelling away', () => {
  const { catalog } = open([upstream('s', { resources: ['x:1'] })], {
    selection: { resources: ['*', '!s+file:///etc/secret/*', '!s+db://main/users', '!s+file:///*é*'] },
  })
  for (const uri of [
    'file:///etc//secret/k',
    'file:///etc/secret%2Fk',
    'file:///etc/secret',
    'db://MAIN/users',
    'db://main/users/',
    'db://main/users?',
    'file:///%C3%A9.txt',
  ])
    assert.equal(isThere(catalog, `s+${uri}`), false, uri)
})

const ordinary = ['file:///a/b%20c.txt', 'db://main/users?x=1', 'db://main/a%40b', 'docs:page/1', 'x://Team/Repo', 'file:///a/b.md']

test('ordinary URIs that stand in no list are there as they are', () => {
  const bare = (uri: string) => ordinary.includes(uri)
  const allowed: Sight = { sees: ({ name }) => bare(name), reaches: () => true }
  const selection = { resources: ['s+file:///*.md', 's+file:///a/b%20c.txt', 's+d*1', 's+db://main/a%40b', 's+x://Team/*'] }
  const servers = [upstream('s', { resources: ['x:1'] })]
  for (const catalog of [open(servers).catalog.seenBy(allowed), open(servers, { selection }).catalog])
    for (const uri of ordinary) assert.equal(isThere(catalog, `s+${uri}`), true, uri)
  const { catalog } = open(servers)
  assert.equal(catalog.seenBy(without(() => false)).owner({ kind: 'resources', name: 'ui://s+app' })?.addressed.name, 'ui://app')
})

test('a list with very many spellings of one resource leaves no room for more', () => {
  const resources = Array.from({ length: 200 }, (_, i) => `db://u${i}@main/users`)
  const { catalog } = open([upstream('s', { resources })])
  const seen = catalog.seenBy(without(() => false))
  assert.deepEqual([isThere(seen, 's+db://u1@main/users'), isThere(seen, 's+db://main/users')], [true, false])
})

test('a server of which a caller sees nothing tells it nothing', () => {
  const offered = { ...noOffers, tools: true }
  const a = Object.assign(upstream('a', { tools: ['open'] }), { text: 'words of a', offered })
  const b = Object.assign(upstream('b', { tools: ['secret'] }), { text: 'words of b', offered })
  const { catalog } = open([a, b])
  const seen = catalog.seenBy(without((name) => name === 'secret'))
  assert.equal(seen.instructions(), 'words of a')
  assert.deepEqual(
    seen.servers().map(({ name }) => name),
    ['a'],
  )
  assert.equal(catalog.instructions(), '[a]\nwords of a\n\n[b]\nwords of b')
})

test('a bare URI that nobody lists goes to the only server that its caller hears of', () => {
  const { catalog } = open([upstream('h', { resources: ['h:1'] }), upstream('v', { resources: ['v:1'] })], { isPrefixed: false })
  const isV = (item: Pick<Item, 'server'>) => item.server === 'v'
  const seen = catalog.seenBy({ sees: isV, reaches: (_, server) => isV({ server }) })
  assert.equal(seen.owner({ kind: 'resources', name: 'what:ever' })?.server, 'v')
  assert.equal(catalog.owner({ kind: 'resources', name: 'what:ever' }), undefined)
})

for (const kind of ['tools', 'prompts', 'resources', 'templates'] as const) {
  test(`of ${kind} that are listed anew those that are as they were are the same things`, () => {
    const server = upstream('s', { [kind]: ['x:', 'y:', 'z:'] })
    const { catalog } = open([server])
    const things = () => {
      const asked: Item[] = []
      catalog.seenBy({ sees: (item) => asked.push(item) > 0, reaches: () => true }).revision(lists[kind].capability)
      return asked
    }
    const [x, y, z] = things()
    server.lists[kind] = [entry(kind, 'new:'), entry(kind, 'z:'), entry(kind, 'x:', '"other":1')]
    const after = things()
    assert.deepEqual(
      after.map(({ name }) => name),
      ['new:', 'z:', 'x:'],
    )
    assert.equal(after[1], z)
    for (const before of [x, y, z]) assert.notEqual(after[2], before)
    server.lists[kind] = [entry(kind, 'x:', '"other":1')]
    assert.deepEqual([things().length, things()[0] === after[2]], [1, true])
  })
}

test('what a caller reads by rules or a selection is for nobody else to keep', () => {
  const servers = [upstream('s', { resources: ['x:1'] })]
  const all = open(servers).catalog
  const selected = open(servers, { selection: { resources: ['*'] } }).catalog
  const scopeOf = (catalog: Catalog, uri: string, kept: string) => {
    const owner = catalog.owner({ kind: 'resources', name: uri }) ?? assert.fail()
    const result = `{"contents":[{"uri":"x:1"}]${kept}}`
    const answer = { kind: 'complete', result, isError: false, hasMeta: false } as const
    const exposed = owner.expose(answer, 'resources/read', {
      kind: 'resources',
      name: uri,
      place: { key: 'uri', keyStart: 0, start: 0, end: 0, type: 'string' },
    })
    return exposed.kind === 'complete' ? exposed.result.replace('{"contents":[{"uri":"s+x:1"}]', '') : exposed.kind
  }
  const hints = ',"ttlMs":5,"cacheScope":"public"'
  for (const uri of ['s+x:1', 's+x:2']) {
    assert.equal(scopeOf(all, uri, hints), `${hints}}`)
    for (const catalog of [selected, all.seenBy(without(() => false))]) {
      assert.equal(scopeOf(catalog, uri, hints), ',"ttlMs":5,"cacheScope":"private"}')
      assert.equal(scopeOf(catalog, uri, ''), '}')
    }
  }
})
