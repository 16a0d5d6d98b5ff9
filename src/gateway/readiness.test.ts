import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openListener } from '../listen/listen.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { readinessOf, type Ways } from './readiness.ts'

type Gate = Ways['listeners'][number]['gates'] extends ReadonlyMap<unknown, infer G> ? G : never
type Audit = NonNullable<Gate['audit']>
type Authenticator = NonNullable<Gate['authenticator']>

const audit = (url: string, isOpen: boolean): Audit => ({
  isOpen,
  faults: [{ sink: url.startsWith('/') ? { kind: 'file', path: url } : { kind: 'http', url, headers: {} }, text: `${url}: it is full` }],
})
const ownFile = audit('/a.jsonl', false)
const sidecar = audit('http://[::1]:9/', false)
const collector = audit('https://collector.example/', false)
const dropping = audit('/b.jsonl', true)
const shut: Authenticator = { isShut: true, faults: ['the keys of issuer X can not be fetched'] }
const half: Authenticator = { isShut: false, faults: ['the keys of issuer X can not be fetched'] }

/** Ways through one listener, each behind what is said of it. */
function through(gates: readonly Gate[], servesNothing = false): Ways {
  const rule = () => ({ matches: [], filters: [], timeouts: {}, backends: servesNothing ? [] : [{ agent: 'a', weight: 1 }] })
  return {
    listeners: [{ listener: { name: 'web' }, gates: new Map(gates.map((gate) => [rule(), gate])) }],
    audits: gates.flatMap((gate) => gate.audit ?? []),
    authenticators: gates.flatMap((gate) => gate.authenticator ?? []),
    servers: [],
  }
}

const open: Gate = { audit: undefined, authenticator: undefined }
const behind = (more: Partial<Gate>): Gate => ({ ...open, ...more })
const calm = { isStarting: false, isDraining: false, wasReady: true, closedListeners: [] as readonly string[] }
const isNew = { ...calm, wasReady: false }

test('a process is unready where nothing is served by its own fault, or where it never was ready', () => {
  const fileFault = 'audit: /a.jsonl: it is full'
  const keysFault = 'the keys of issuer X can not be fetched'
  const rows: readonly [string, Ways, typeof calm, readonly string[], readonly string[], number][] = [
    ['all is well', through([open]), calm, [], [], 0],
    ['the start', through([open]), { ...calm, isStarting: true }, ['starting'], [], 0],
    ['the drain', through([open]), { ...calm, isDraining: true }, ['draining'], [], 0],
    ['its file is full', through([behind({ audit: ownFile })]), calm, [fileFault], [], 1],
    ['its file is full, on one of two ways', through([open, behind({ audit: ownFile })]), calm, [], [fileFault], 1],
    ['its file is full, and records are dropped', through([behind({ audit: dropping })]), calm, [], ['audit: /b.jsonl: it is full'], 0],
    ['a sidecar is gone', through([behind({ audit: sidecar })]), calm, ['audit: http://[::1]:9/: it is full'], [], 1],
    [
      'the collector of all is gone',
      through([behind({ audit: collector })]),
      calm,
      [],
      ['audit: https://collector.example/: it is full'],
      1,
    ],
    ['so it is at the start', through([behind({ audit: collector })]), isNew, ['audit: https://collector.example/: it is full'], [], 1],
    ['keys were never had', through([behind({ authenticator: shut })]), isNew, [keysFault], [], 1],
    ['keys were lost', through([behind({ authenticator: shut })]), calm, [], [keysFault], 1],
    ['keys were never had, but there are API keys', through([behind({ authenticator: half })]), isNew, [], [keysFault], 0],
    ['its file and the keys', through([behind({ audit: ownFile }), behind({ authenticator: shut })]), calm, [fileFault, keysFault], [], 2],
    ['its only listener is not open', through([open]), { ...calm, closedListeners: ['web'] }, ['listener "web" is not open'], [], 1],
    ['nothing is served, as the document says', through([open], true), isNew, [], [], 0],
  ]
  for (const [name, ways, state, reasons, degraded, closedWays] of rows) {
    const found = readinessOf(ways, state)
    assert.deepEqual(
      [found.reasons, found.degraded, found.closedWays, found.isReady],
      [reasons, degraded, closedWays, reasons.length === 0],
      name,
    )
    assert.deepEqual(
      found.faults,
      [...reasons, ...degraded].filter((text) => text !== 'starting' && text !== 'draining'),
      name,
    )
  }
})

test('servers that are missing are named last', () => {
  const servers = [
    { backend: 'b', name: 'up', state: 'ready', lastError: undefined },
    { backend: 'b', name: 'gone', state: 'down', lastError: 'no answer' },
  ] as const
  const { isReady, degraded, faults } = readinessOf({ ...through([open, behind({ audit: ownFile })]), servers }, calm)
  assert.deepEqual(
    [isReady, degraded, faults],
    [true, ['audit: /a.jsonl: it is full', 'b/gone: no answer'], ['audit: /a.jsonl: it is full']],
  )
})

async function serving(t: TestContext, policies: string) {
  const { gateway, port, close } = await openGateway(configOf(`{ servers: {}, policies: { ${policies} } }`), openListener)
  t.after(close)
  const status = async () => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer e30.e30.e30',
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    return (await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', headers, body })).status
  }
  /** Once its readiness is this. */
  const becomes = async (isReady: boolean) => {
    for (;;) {
      const found = gateway.readiness()
      if (!found.reasons.includes('starting') && found.isReady === isReady) return found
      await wait(20)
    }
  }
  return { status, becomes }
}

test('a gateway whose file of records is gone says so as long as it refuses requests', { timeout: 20_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'later', 'audit.jsonl')
  const { status, becomes } = await serving(t, `audit: { sinks: [{ file: "${file}" }] }`)
  const { reasons } = await becomes(false)
  assert.deepEqual(reasons, [`audit: file ${file}: its folder is not there (ENOENT); requests are refused until it takes records`])
  assert.equal(await status(), 503)
  mkdirSync(join(folder, 'later'))
  await becomes(true)
  assert.notEqual(await status(), 503)
})

test('a gateway that never had the keys of its only issuer is not ready', { timeout: 20_000 }, async (t) => {
  const jwt = '{ issuer: "http://127.0.0.1:1/", audiences: [a], jwks: { url: "http://127.0.0.1:1/jwks" } }'
  const { status, becomes } = await serving(t, `authenticate: { jwt: [${jwt}] }`)
  const { reasons } = await becomes(false)
  assert.equal(reasons.length, 1)
  assert.match(reasons[0] ?? '', /^the keys of issuer http:\/\/127\.0\.0\.1:1\/ can't be fetched, so its tokens get 503: .*ECONNREFUSED/)
  assert.notEqual(await status(), 200)
})
