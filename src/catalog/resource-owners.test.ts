import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Catalog } from './catalog.ts'
import { exposedUri, ownUri } from './exposed-uri.ts'
import { entry, keys, list, open, unmet, upstream } from './open-for-test.ts'

function ownerOf(catalog: Catalog, name: string): string | undefined {
  const owner = catalog.owner({ kind: 'resources', name })
  return owner && `${owner.server} ${owner.addressed.name}`
}

test('an exposed URI leads back to its server and its own spelling, whatever it is', () => {
  const server = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?$/)
  const uri = fc.oneof(
    fc.string({ unit: fc.constantFrom('u', 'i', ':', '/', '+', '_', '{', 'é') }),
    fc.string().map((rest) => `ui://${rest}`),
  )
  fc.assert(fc.property(server, uri, (name, own) => assert.deepEqual(ownUri(exposedUri(name, own)), { server: name, uri: own })))
  assert.deepEqual([exposedUri('a', 'file:///x'), exposedUri('a', 'ui://x/y')], ['a+file:///x', 'ui://a+x/y'])
  assert.deepEqual([ownUri('file:///x'), ownUri('ui://x')], [undefined, undefined])
  // A scheme begins with a letter.
  assert.deepEqual([exposedUri('2nd', 'note://x'), exposedUri('2nd', 'ui://x/y')], ['s.2nd+note://x', 'ui://2nd+x/y'])
})

test('prefixed: listed or not, a URI goes to the server that it names', () => {
  const servers = [
    upstream('a', { resources: ['file:///x'], templates: ['db://{id}'] }),
    upstream('b', { resources: [] }),
    upstream('c', { tools: ['t'] }),
  ]
  const { catalog } = open(servers)
  assert.deepEqual(keys(list(catalog, 'resources')), ['a+file:///x'])
  assert.deepEqual(keys(list(catalog, 'templates')), ['a+db://{id}'])
  const rows = [
    ['a+file:///x', 'a file:///x'],
    ['b+file:///x', 'b file:///x'],
    ['a+db://7', 'a db://7'],
    ['a+db://{id}', 'a db://{id}'],
    ['b+x+y', 'b x+y'],
    ['ui://b+app/1+2', 'b ui://app/1+2'],
    ['b+ui://app', 'b ui://app'],
    ['c+file:///x', undefined],
    ['d+file:///x', undefined],
    ['A+file:///x', undefined],
    ['file:///x', undefined],
    ['ui://app', undefined],
    ['a+', undefined],
    ['', undefined],
    ['__proto__+x', undefined],
    [`a+${'x'.repeat(8190)}`, `a ${'x'.repeat(8190)}`],
    [`a+${'x'.repeat(8191)}`, undefined],
  ] as const
  for (const [exposed, expected] of rows) assert.equal(ownerOf(catalog, exposed), expected, exposed)
})

test('pages of MCP Apps keep their scheme in lists', () => {
  const { catalog } = open([upstream('a', { resources: ['ui://app/main'], templates: ['ui://{page}'] })])
  assert.deepEqual(keys(list(catalog, 'resources')), ['ui://a+app/main'])
  assert.deepEqual(keys(list(catalog, 'templates')), ['ui://a+{page}'])
  assert.equal(ownerOf(catalog, 'ui://a+app/main'), 'a ui://app/main')
})

test('bare: who lists it first, else who has a template for it, else the only one with resources', () => {
  const a = upstream('a', { resources: ['file:///x'], templates: ['db://{table}/{id}'] })
  const b = upstream('b', { resources: ['file:///x', 'file:///y', 'db://t/1'], templates: ['db://{+path}', 'db://{table}/{id}'] })
  const { catalog, told } = open([a, b], { isPrefixed: false })
  assert.deepEqual(keys(list(catalog, 'resources')), ['file:///x', 'file:///y', 'db://t/1'])
  assert.deepEqual(keys(list(catalog, 'templates')), ['db://{table}/{id}', 'db://{+path}'])
  assert.deepEqual(told.at(-1), ['conflicts', ['b+file:///x', 'b+db://{table}/{id}']])
  const rows = [
    ['file:///x', 'a file:///x'],
    ['file:///y', 'b file:///y'],
    ['db://t/1', 'b db://t/1'],
    ['db://t/2', 'a db://t/2'],
    ['db://t/2/3', 'b db://t/2/3'],
    ['db://{table}/{id}', 'a db://{table}/{id}'],
    ['file:///z', undefined],
  ] as const
  for (const [exposed, expected] of rows) assert.equal(ownerOf(catalog, exposed), expected, exposed)
  const reversed = open([b, upstream('c', { templates: ['db://{table}'] })], { isPrefixed: false }).catalog
  assert.deepEqual([ownerOf(reversed, 'db://{table}'), ownerOf(reversed, 'db://t')], ['c db://{table}', 'b db://t'])
  const alone = open([a, upstream('c', { tools: ['t'] })], { isPrefixed: false }).catalog
  assert.equal(ownerOf(alone, 'file:///z'), 'a file:///z')
})

test('bare: while another server is being met, nobody is the only one; one that is down from the start is no rival', () => {
  const a = upstream('a', { resources: [] })
  const other = unmet('b', 'connecting')
  const { catalog } = open([a, other], { isPrefixed: false })
  assert.equal(ownerOf(catalog, 'x:1'), undefined)
  other.state = 'down'
  assert.equal(ownerOf(catalog, 'x:1'), 'a x:1')
  assert.equal(ownerOf(open([other], { isPrefixed: false }).catalog, 'x:1'), 'b x:1')
  assert.equal(ownerOf(open([other]).catalog, 'b+x:1'), 'b x:1')
})

test('where some servers are prefixed and some not, a prefixed name wins', () => {
  const [a, b] = [upstream('a', { resources: ['x:1'] }), upstream('b', { resources: ['x:1', 'a+x:2'] })]
  const { catalog, told } = open([a, b], { isPrefixed: [true, false] })
  assert.deepEqual(keys(list(catalog, 'resources')), ['a+x:1', 'x:1'])
  assert.deepEqual(told.at(-1), ['conflicts', ['b+a+x:2']])
  assert.deepEqual([ownerOf(catalog, 'a+x:2'), ownerOf(catalog, 'x:1'), ownerOf(catalog, 'x:3')], ['a x:2', 'b x:1', 'b x:3'])
  assert.deepEqual([catalog.exposedUri('a', 'x:1'), catalog.exposedUri('b', 'x:1')], ['a+x:1', 'x:1'])
})

test('what is not selected can be read neither by its list, nor by a template, nor as anything else', () => {
  const docs = upstream('docs', {
    resources: ['file:///open/1', 'file:///shut/1', 'file:///open/../odd', 'ui://app'],
    templates: ['file:///{+path}'],
  })
  const resources = ['docs+file:///open/*', 'docs+ui://*', '!docs+file:///open/secret*']
  for (const isPrefixed of [true, false]) {
    const { catalog } = open([docs], { selection: { resources }, isPrefixed })
    const shown = (uri: string) => (isPrefixed ? exposedUri('docs', uri) : uri)
    assert.deepEqual(keys(list(catalog, 'resources')), ['file:///open/1', 'file:///open/../odd', 'ui://app'].map(shown))
    assert.deepEqual(keys(list(catalog, 'templates')), [])
    const rows = [
      ['file:///open/1', true],
      ['file:///open/unlisted', true],
      ['file:///open/a..b/..c', true],
      ['file:///open/%20x', true],
      ['file:///open/../odd', true],
      ['ui://app', true],
      ['file:///shut/1', false],
      ['file:///open/secret1', false],
      ['file:///open/../shut/1', false],
      ['file:///open/..', false],
      ['file:///open/..?x', false],
      ['file:///open/./secret1', false],
      ['file:///open/%2e%2E/shut/1', false],
      ['file:///open/..%2Fshut/1', false],
      ['file:///open\\..\\shut/1', false],
      ['file:///open/..%5cshut/1', false],
      ['file:///open/%73ecret1', false],
      ['file:///open/x%5F', false],
    ] as const
    for (const [uri, isThere] of rows)
      assert.equal(catalog.owner({ kind: 'resources', name: shown(uri) }) !== undefined, isThere, `${uri} ${isPrefixed}`)
  }
  const all = open([docs], { selection: { resources: ['docs+file:///{+path}'] } }).catalog
  assert.deepEqual(keys(list(all, 'templates')), ['docs+file:///{+path}'])
  assert.equal(ownerOf(all, 'docs+file:///{+path}'), 'docs file:///{+path}')
})

test('without a selection the server alone judges odd spellings', () => {
  const { catalog } = open([upstream('docs', { resources: [] })])
  assert.equal(ownerOf(catalog, 'docs+file:///a/../%73'), 'docs file:///a/../%73')
})

test('a URI is looked up in the lists as they are now', () => {
  const [a, b] = [upstream('a', { resources: [] }), upstream('b', { resources: [] })]
  const { catalog } = open([a, b], { isPrefixed: false })
  assert.equal(ownerOf(catalog, 'x:1'), undefined)
  b.lists.resources = [entry('resources', 'x:1')]
  assert.equal(ownerOf(catalog, 'x:1'), 'b x:1')
  a.lists.templates = [entry('templates', 'y:{id}')]
  assert.equal(ownerOf(catalog, 'y:1'), 'a y:1')
  a.lists.templates = []
  assert.equal(ownerOf(catalog, 'y:1'), undefined)
})

test('what the URL standard makes of a URI has to be selected too, since servers look that up', () => {
  const { catalog } = open([upstream('s', { resources: ['note://listed/ x'], templates: ['note://{a}/{b}'] })], {
    selection: { resources: ['*', '!s+note://secret*', '!s+file:///secret*'] },
  })
  for (const uri of [
    'NOTE://secret/x',
    'no\tte://secret/x',
    ' note://secret/x',
    'note://se\ncret/x',
    'FILE:///secret.txt',
    'file://localhost/secret.txt',
    'file:\\\\\\secret.txt',
  ])
    assert.equal(ownerOf(catalog, `s+${uri}`), undefined, JSON.stringify(uri))
  for (const uri of ['note://open/x', 'note://open/ä', 'file:///open.txt', 'note://listed/ x', 'note://{a}/{b}'])
    assert.equal(ownerOf(catalog, `s+${uri}`), `s ${uri}`, JSON.stringify(uri))
  const narrow = open([upstream('s', { resources: [] })], { selection: { resources: ['s+note://pub/sub/*'] } }).catalog
  assert.equal(ownerOf(narrow, 's+note://pub/sub/.\t./two'), undefined)
})

test('templates that would cost too much to compare are passed over', () => {
  const hostile = Array.from({ length: 499 }, (_, i) => `x:{a}a{b}a{c}a{d}a{e}a{f}a{g}b${i}c{+h}`)
  const { catalog } = open([upstream('a', { templates: [...hostile, 'y:{z}'] }), upstream('b', { resources: [] })], { isPrefixed: false })
  assert.equal(ownerOf(catalog, `x:${'a'.repeat(2000)}`), undefined)
  assert.equal(ownerOf(catalog, 'y:1'), 'a y:1', 'those that begin otherwise cost nothing')
})
