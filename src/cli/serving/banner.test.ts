import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bannerLines, type Ready } from './banner.ts'

const demo: Ready = {
  version: '0.1.0',
  readyMs: 214,
  file: undefined,
  endpoints: [{ url: 'http://127.0.0.1:8081/mcp', agent: undefined }],
  servers: [
    { name: 'math', state: 'modern, 2 tools' },
    { name: 'date', state: 'legacy, 1 tool' },
  ],
  note: 'port 8080 is taken: using 8081',
}

test('the banner says when, where, what, and what to paste', () => {
  assert.deepEqual(bannerLines(demo), [
    'mcplex 0.1.0 ready in 0.21 s, no configuration: a demo with two servers of its own',
    '  port 8080 is taken: using 8081',
    '  endpoint  http://127.0.0.1:8081/mcp',
    '  math      modern, 2 tools',
    '  date      legacy, 1 tool',
    'To use it, add to your MCP client:',
    '{"mcpServers":{"mcplex":{"type":"http","url":"http://127.0.0.1:8081/mcp"}}}',
  ])
})

test('with any number of agents and servers it keeps to 12 lines', () => {
  const many = Array.from({ length: 50 }, (_, i) => `n${i}`)
  const lines = bannerLines({
    ...demo,
    file: 'mcplex.yaml',
    endpoints: many.map((agent) => ({ url: `http://127.0.0.1:8080/mcp/${agent}`, agent })),
    servers: many.map((name) => ({ name, state: 'modern' })),
  })
  assert.equal(lines.length, 12)
  assert.equal(lines[4], '  and 48 more')
  assert.equal(lines[9], '  and 46 more')
})
