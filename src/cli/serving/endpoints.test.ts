import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDocument } from '../document/document.ts'
import { endpointsOf, serverLines, totalsOf } from './endpoints.ts'

function endpoints(text: string, ports: Readonly<Record<string, number>> = {}): string[] {
  const { config, problems } = parseDocument('test', text, { env: {} })
  assert.ok(config !== undefined, JSON.stringify(problems))
  return endpointsOf(config, new Map(Object.entries(ports))).map(({ url, agent }) => (agent === undefined ? url : `${url} ${agent}`))
}

test('endpoints are the URLs that clients can use', () => {
  const rows: readonly [string, Readonly<Record<string, number>>, string[]][] = [
    ['servers: {}', {}, ['http://127.0.0.1:8080/mcp']],
    ['{ servers: {}, listen: "[::1]:0" }', { default: 4711 }, ['http://[::1]:4711/mcp']],
    ['{ servers: {}, agents: { a: {}, b: { path: /b } } }', {}, ['http://127.0.0.1:8080/mcp/a a', 'http://127.0.0.1:8080/b b']],
    ['{ servers: {}, listeners: [{ name: all, address: 0.0.0.0, port: 80, insecure: true }] }', {}, ['http://127.0.0.1:80/mcp']],
    [
      `{ servers: {}, listeners: [{ name: one, port: 1, hostname: mcp.test }, { name: two, port: 2 }],
         routes: [{ name: r, listeners: [one], rules: [{ matches: [{ path: { value: /x } }], backends: [{ backend: default }] }, { backends: [{ refuse: { status: 500 } }] }] }] }`,
      {},
      ['http://mcp.test:1/x'],
    ],
  ]
  for (const [text, ports, expected] of rows) assert.deepEqual(endpoints(text, ports), expected, text)
})

test('a server is shown with its era and tools, or with what is wrong', () => {
  const base = {
    backend: 'default',
    name: 's',
    era: undefined,
    version: undefined,
    serverName: undefined,
    tools: 0,
    prompts: 0,
    resources: 0,
    lastError: undefined,
    since: 0,
  }
  const servers = [
    { ...base, state: 'ready', era: 'legacy', serverName: undefined, version: '2025-11-25', tools: 1 },
    { ...base, state: 'down', lastError: 'does not answer', remedy: 'it says: \u202e!', tools: 5 },
    { ...base, state: 'connecting' },
  ] as const
  assert.deepEqual(
    serverLines({ servers }).map((line) => [line.isReady, line.state]),
    [
      [true, 'legacy (2025-11-25), 1 tool'],
      [false, 'down: does not answer; it says: \\u202e!'],
      [false, 'has not answered yet'],
    ],
  )
  assert.deepEqual(totalsOf({ servers }), { ready: 1, servers: 3, tools: 1 })
})
