import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Raw } from '../objects/objects.ts'
import { maxStatusBytes, parseStatus, readProxyReport } from './proxy-report.ts'

const digest = 'a'.repeat(64)
const server = { http: { host: 'one.example', port: 80 } }
const document = { backends: { 'ns/b': { servers: { one: server, two: server } } }, agents: { 'ns/a': { from: ['ns/b'] } } }
const statusWith = (more: Raw, source: unknown = { digest, version: '1.0.0', isLastGood: false }): Raw => ({
  configDigest: 'x',
  version: '1.0.0',
  source,
  ...more,
})
const ready = { backend: 'ns/b', name: 'one', state: 'ready', era: 'modern', version: '2026-07-28', tools: 3, since: 1 }

test('what a proxy says of its document, servers and agents is read', () => {
  const refused = { digest: 'b'.repeat(64), version: '1.1.0', text: 'line 1: `new` is not known' }
  const status = statusWith(
    {
      servers: [ready, { ...ready, name: 'two', state: 'down', era: undefined, tools: 0, lastError: 'gone' }],
      agents: [{ name: 'ns/a', tools: 2 }],
    },
    { digest, version: '1.0.0', refused },
  )
  assert.deepEqual(readProxyReport(status, document), {
    digest,
    version: '1.0.0',
    refused: { digest: refused.digest, text: refused.text },
    servers: [
      { backend: 'ns/b', name: 'one', state: 'ready', era: 'modern', tools: 3, lastError: undefined },
      { backend: 'ns/b', name: 'two', state: 'down', era: undefined, tools: 0, lastError: 'gone' },
    ],
    agents: [{ name: 'ns/a', tools: 2 }],
  })
})

test('what is no status of a document from Kubernetes is no report', () => {
  for (const source of [null, 'x', {}, { digest: 'short' }, { digest: 7 }, { digest: digest.toUpperCase() }]) {
    assert.equal(readProxyReport(statusWith({ servers: [ready] }, source), document), undefined)
  }
})

test('what is not named by the document, has another type or comes twice is left out, and what is too long is cut', () => {
  const servers = [
    { ...ready, backend: 'other/b' },
    { ...ready, name: 'three' },
    { ...ready, backend: 'constructor', name: 'name' },
    { ...ready, state: 'fine' },
    { ...ready, state: 'down', era: 'x'.repeat(1000), tools: -1, lastError: `${'x'.repeat(298)}😀 and more` },
    { ...ready, tools: 99 },
    { ...ready, name: 'two', tools: 1.5, lastError: { text: 'x' } },
    null,
    7,
  ]
  const agents = [
    { name: 'other/a', tools: 1 },
    { name: '__proto__', tools: 1 },
    { name: 'ns/a', tools: '7' },
    { name: 'ns/a', tools: 8 },
  ]
  const report = readProxyReport(statusWith({ version: 'v'.repeat(1000), servers, agents }), document)
  assert.deepEqual(report?.servers, [
    { backend: 'ns/b', name: 'one', state: 'down', era: undefined, tools: 0, lastError: `${'x'.repeat(298)}\ufffd…` },
    { backend: 'ns/b', name: 'two', state: 'ready', era: 'modern', tools: 0, lastError: undefined },
  ])
  assert.deepEqual(report?.agents, [{ name: 'ns/a', tools: 0 }])
  assert.equal(report?.version.length, 300)
})

test('at most 2,000 servers are kept', () => {
  const names = Array.from({ length: 2500 }, (_, index) => `s${index}`)
  const wide = { backends: { b: { servers: Object.fromEntries(names.map((name) => [name, server])) } } }
  const report = readProxyReport(statusWith({ servers: names.map((name) => ({ ...ready, backend: 'b', name })) }), wide)
  assert.equal(report?.servers.length, 2000)
})

test('any JSON is taken', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (source, servers, agents) => {
      assert.equal(readProxyReport(source, document), undefined)
      const report = readProxyReport(statusWith({ servers, agents }), document)
      assert.equal(report?.digest, digest)
    }),
  )
})

test('no text moves a terminal or turns the direction of what stands beside it', () => {
  const nasty = '\u001b[31mred\r\nline\u0000\u0085\u009b2J \u202eback\u2066in\u200f\u061cend\u2029\u007f'
  const seen = '[31mred line 2J  back in end'
  const refused = { digest: 'b'.repeat(64), text: nasty }
  const status = statusWith({ version: nasty, servers: [{ ...ready, state: 'down', lastError: nasty }] }, { digest, refused })
  const report = readProxyReport(status, document)
  assert.deepEqual([report?.version, report?.refused?.text, report?.servers[0]?.lastError], [seen, seen, seen])
})

test('what is deep, in very many parts or no JSON is no status, and the former is not even read', () => {
  const head = `{"version":"1","source":{"digest":"${digest}"},"x":`
  const rows: readonly (readonly [text: string, fault: RegExp])[] = [
    [`${head}${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /too deep/],
    [`${head}${'{"a":'.repeat(16)}1${'}'.repeat(16)}}`, /too deep/],
    [`${head}[${'[],'.repeat(170_000)}[]]}`, /too many parts/],
    [`${head}{${Array.from({ length: 50_000 }, (_, index) => `"${index}":0`).join()}}}`, /too many parts/],
    // A quote in a string does not end it.
    [`${head}["\\"",${'['.repeat(17)}`, /too deep/],
    ['<html>', /no JSON/],
    ['', /no JSON/],
  ]
  for (const [text, fault] of rows) {
    const parsed = parseStatus(Buffer.from(text))
    assert.match(parsed.kind === 'failed' ? parsed.text : '', fault)
  }
  for (const text of ['{"a":[1]}', `{"a":"${'[{,:\\"'.repeat(10_000)}"}`, `${head}${'{"a":'.repeat(15)}1${'}'.repeat(15)}}`]) {
    assert.deepEqual(parseStatus(Buffer.from(text)), { kind: 'status', status: JSON.parse(text) })
  }
})

test('an honest answer of a large document is within the bounds', () => {
  assert.equal(maxStatusBytes(document), 512 * 1024)
  for (const count of [1000, 3000, 9000]) {
    const names = Array.from({ length: count }, (_, index) => `server-${index}`)
    const http = { host: 'one.default.svc.cluster.local', port: 80 }
    const wide = { backends: { 'ns/b': { servers: Object.fromEntries(names.map((name) => [name, { http }])) } } }
    const servers = names.map((name) => ({ ...ready, name, since: '2026-01-01T00:00:00.000Z', repairs: { a: 1 } }))
    const body = Buffer.from(`${JSON.stringify(statusWith({ servers }), undefined, 2)}\n`)
    assert.ok(body.length <= maxStatusBytes(wide), `${body.length} of ${maxStatusBytes(wide)}`)
    assert.equal(parseStatus(body).kind, 'status')
  }
  assert.equal(maxStatusBytes({ x: 'x'.repeat(3_000_000) }), 4 * 1024 * 1024)
})
