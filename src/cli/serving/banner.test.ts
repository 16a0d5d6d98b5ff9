import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bannerLines, type Ready, readyFields } from './banner.ts'
import { clientLines } from './client-lines.ts'

const demo: Ready = {
  version: '0.1.0',
  readyMs: 214,
  file: undefined,
  totals: { ready: 2, servers: 2, tools: 3 },
  isReady: true,
  faults: [],
  endpoints: [{ url: 'http://127.0.0.1:8081/mcp', agent: undefined }],
  servers: [
    { name: 'math', isReady: true, state: 'modern, 2 tools' },
    { name: 'date', isReady: true, state: 'legacy, 1 tool' },
  ],
  admin: '127.0.0.1:15000',
  note: 'port 8080 is taken: using 8081',
}

/** Fifty agents, one of them at /mcp, and fifty servers, the last seven of them down. */
const many = Array.from({ length: 50 }, (_, i) => `n${i}`)
const large: Ready = {
  ...demo,
  file: 'mcplex.yaml',
  note: undefined,
  totals: { ready: 43, servers: 50, tools: 1 },
  endpoints: [...many, 'all'].map((agent) => ({ url: `http://127.0.0.1:8080/mcp${agent === 'all' ? '' : `/${agent}`}`, agent })),
  servers: many.map((name, i) => (i < 43 ? { name, isReady: true, state: 'modern' } : { name, isReady: false, state: 'down: it hangs' })),
}

test('the banner says when, how many, where, what, and how a client gets there', () => {
  assert.deepEqual(bannerLines(demo), [
    'mcplex 0.1.0 ready in 0.21 s: 2 servers, 3 tools; no configuration: a demo with two servers of its own',
    '  port 8080 is taken: using 8081',
    '  endpoint  http://127.0.0.1:8081/mcp',
    '  admin     http://127.0.0.1:15000 (status and metrics)',
    '  math      modern, 2 tools',
    '  date      legacy, 1 tool',
    ...clientLines('mcplex', 'http://127.0.0.1:8081/mcp'),
  ])
})

test('of many agents and servers it shows /mcp, and what is broken', () => {
  const lines = bannerLines(large)
  assert.deepEqual(lines, [
    'mcplex 0.1.0 ready in 0.21 s: 43 of 50 servers, 1 tool; configuration mcplex.yaml',
    '  endpoint  http://127.0.0.1:8080/mcp (agent all)',
    '  endpoint  http://127.0.0.1:8080/mcp/n0 (agent n0)',
    '  and 49 more',
    '  admin     http://127.0.0.1:15000 (status and metrics)',
    '  n43       down: it hangs',
    '  n44       down: it hangs',
    '  n45       down: it hangs',
    '  n46       down: it hangs',
    '  and 46 more, 3 of them not ready',
    ...clientLines('mcplex', 'http://127.0.0.1:8080/mcp'),
  ])
})

test("where /mcp is not served the first agent's endpoint is shown, by its name", () => {
  const lines = bannerLines({ ...large, endpoints: large.endpoints.slice(0, 50) })
  assert.deepEqual(lines.slice(-5), clientLines('n0', 'http://127.0.0.1:8080/mcp/n0'))
})

test('what keeps requests from being served stands before the endpoints', () => {
  const lines = bannerLines({ ...demo, isReady: false, note: undefined, faults: ['audit: file /a.jsonl: there is no such folder'] })
  assert.match(lines[0] ?? '', /^mcplex 0\.1\.0 started, but not ready, in 0\.21 s: 2 servers/)
  assert.equal(lines[1], '  fault     audit: file /a.jsonl: there is no such folder')
})

test('a log record says the same, with long lists cut', () => {
  const { endpoints, notReady, ...facts } = readyFields(large)
  assert.deepEqual(facts, {
    version: '0.1.0',
    readyMs: 214,
    file: 'mcplex.yaml',
    note: undefined,
    ready: 43,
    servers: 50,
    tools: 1,
    faults: undefined,
    admin: '127.0.0.1:15000',
  })
  assert.deepEqual([(endpoints as unknown[]).length, (endpoints as unknown[])[0]], [20, { url: 'http://127.0.0.1:8080/mcp', agent: 'all' }])
  assert.deepEqual(
    notReady,
    many.slice(43).map((name) => ({ name, state: 'down: it hangs' })),
  )
})
