import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../config/config.ts'
import type { Head } from '../../mcp/mcp.ts'
import { hostnameRank, isHostnameMatch } from './hostnames.ts'
import { compileRoutes, findRoute } from './route-table.ts'

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly host?: string
  readonly listener?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface RouteText {
  readonly name: string
  readonly hostnames?: readonly string[]
  readonly listeners?: readonly string[]
  /** One rule for each: its matches. */
  readonly rules: readonly (readonly object[])[]
}

function finder(routes: readonly RouteText[]): (sent: Sent) => string | undefined {
  const document = {
    listeners: ['a', 'b'].map((name, i) => ({ name, port: 8080 + i, protocol: 'HTTP' })),
    backends: { one: { servers: { s: { http: { url: 'http://127.0.0.1:1/mcp' } } } } },
    routes: routes.map(({ rules, ...route }) => ({
      ...route,
      rules: rules.map((matches) => ({ ...(matches.length === 0 ? {} : { matches }), backends: [{ backend: 'one' }] })),
    })),
  }
  const { config, problems } = parseConfig(JSON.stringify(document), { env: {}, readFile: () => '' })
  assert.ok(config, JSON.stringify(problems))
  const entries = compileRoutes(config, (route, _rule, index) => `${route.name}${index}`)
  return ({ method = 'POST', path = '/', query = '', host = 'h', listener = 'a', headers = {} }) => {
    const head: Head = { method, path, query, host, listener, remote: '', header: (name) => headers[name] }
    return findRoute(entries, listener, host, head)?.target
  }
}

const prefix = (value: string, more: object = {}) => ({ path: { type: 'PathPrefix', value }, ...more })
const exact = (value: string, more: object = {}) => ({ path: { type: 'Exact', value }, ...more })

test('a prefix matches whole elements of a path, an exact path itself only', () => {
  const find = finder([{ name: 'p', rules: [[prefix('/mcp')], [prefix('/slash/')], [exact('/exact')]] }])
  for (const [path, target] of [
    ['/mcp', 'p0'],
    ['/mcp/', 'p0'],
    ['/mcp/a/b', 'p0'],
    ['/mcpx', undefined],
    ['/MCP', undefined],
    ['/', undefined],
    ['/slash', 'p1'],
    ['/slash/x', 'p1'],
    ['/slashx', undefined],
    ['/exact', 'p2'],
    ['/exact/', undefined],
  ] as const)
    assert.equal(find({ path }), target, path)
})

test('a route without matches takes every path', () => {
  const find = finder([{ name: 'all', rules: [[]] }])
  for (const path of ['/', '/mcp', '/a/b/c']) assert.equal(find({ path }), 'all0')
})

test('any of several matches of a rule suffices; all parts of one match must hold', () => {
  const headers = [{ name: 'X-Team', value: 'a' }]
  const find = finder([
    { name: 'r', rules: [[exact('/x', { headers, method: 'POST', queryParams: [{ name: 'q', value: '1' }] }), exact('/y')]] },
  ])
  const whole: Sent = { path: '/x', headers: { 'x-team': 'a' }, query: 'p=0&q=1' }
  assert.equal(find(whole), 'r0')
  assert.equal(find({ path: '/y' }), 'r0')
  for (const other of [
    { headers: {} },
    { headers: { 'x-team': 'A' } },
    { query: 'q=2' },
    { query: '' },
    { query: 'q=2&q=1' },
    { method: 'GET' },
    { path: '/z' },
  ])
    assert.equal(find({ ...whole, ...other }), undefined, JSON.stringify(other))
})

const team = (value: string) => ({ name: 'x-team', value })
const q = (name: string) => ({ name, value: '1' })

/** By the Gateway API (HTTPRouteRule.matches): the second of each pair wins though it is written later. */
const precedence: readonly (readonly [name: string, weaker: object, stronger: object])[] = [
  ['exact before prefix', prefix('/a/b'), exact('/a/b')],
  ['exact before a prefix with all else', prefix('/a/b', { method: 'POST', headers: [team('a')], queryParams: [q('q')] }), exact('/a/b')],
  ['the longer prefix', prefix('/a'), prefix('/a/b')],
  ['a longer prefix before a method', prefix('/a', { method: 'POST' }), prefix('/a/b')],
  ['a method', prefix('/a'), prefix('/a', { method: 'POST' })],
  ['a method before headers', prefix('/a', { headers: [team('a')] }), prefix('/a', { method: 'POST' })],
  ['more headers', prefix('/a', { headers: [team('a')] }), prefix('/a', { headers: [team('a'), { name: 'x-b', value: 'b' }] })],
  ['headers before query parameters', prefix('/a', { queryParams: [q('q'), q('r')] }), prefix('/a', { headers: [team('a')] })],
  ['more query parameters', prefix('/a', { queryParams: [q('q')] }), prefix('/a', { queryParams: [q('q'), q('r')] })],
]

for (const [name, weaker, stronger] of precedence) {
  test(`precedence: ${name}`, () => {
    const sent: Sent = { path: '/a/b', headers: { 'x-team': 'a', 'x-b': 'b' }, query: 'q=1&r=1' }
    assert.equal(
      finder([
        { name: 'weak', rules: [[weaker]] },
        { name: 'strong', rules: [[stronger]] },
      ])(sent),
      'strong0',
    )
    assert.equal(finder([{ name: 'r', rules: [[weaker], [stronger]] }])(sent), 'r1')
    assert.equal(finder([{ name: 'weak', rules: [[weaker]] }])(sent), 'weak0')
  })
}

test('of equals the first in the document wins', () => {
  const find = finder([
    { name: 'first', rules: [[prefix('/a')], [prefix('/a')]] },
    { name: 'second', rules: [[prefix('/a')]] },
  ])
  assert.equal(find({ path: '/a' }), 'first0')
})

test('hostnames come before paths: exact, then the longer wildcard, then none', () => {
  const find = finder([
    { name: 'any', rules: [[exact('/a')]] },
    { name: 'wide', hostnames: ['*.example.com'], rules: [[prefix('/')]] },
    { name: 'narrow', hostnames: ['*.b.example.com'], rules: [[prefix('/')]] },
    { name: 'own', hostnames: ['x.b.example.com', 'other.example'], rules: [[prefix('/')]] },
  ])
  for (const [host, target] of [
    ['x.b.example.com', 'own0'],
    ['other.example', 'own0'],
    ['y.b.example.com', 'narrow0'],
    ['y.z.b.example.com', 'narrow0'],
    ['b.example.com', 'wide0'],
    ['example.com', 'any0'],
    ['evil.com', 'any0'],
  ] as const)
    assert.equal(find({ host, path: '/a' }), target, host)
})

test('a route belongs to its listeners', () => {
  const find = finder([
    { name: 'b', listeners: ['b'], rules: [[exact('/a')]] },
    { name: 'all', rules: [[prefix('/')]] },
  ])
  assert.deepEqual([find({ path: '/a', listener: 'a' }), find({ path: '/a', listener: 'b' })], ['all0', 'b0'])
})

test('a wildcard is any name below, of one or more labels, and not the name itself', () => {
  for (const [pattern, host, isMatch] of [
    ['a.b', 'a.b', true],
    ['a.b', 'x.a.b', false],
    ['*.a.b', 'x.a.b', true],
    ['*.a.b', 'x.y.a.b', true],
    ['*.a.b', 'a.b', false],
    ['*.a.b', '.a.b', false],
    ['*.a.b', 'xa.b', false],
  ] as const)
    assert.equal(isHostnameMatch(pattern, host), isMatch, `${pattern} ${host}`)
  const ranked = [undefined, '*.b', '*.a.b', 'b', 'a.b'].map(hostnameRank)
  assert.deepEqual(
    ranked,
    ranked.toSorted((a, b) => a - b),
  )
})
