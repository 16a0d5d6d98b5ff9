import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../config/config.ts'
import { ServerBuffers } from '../mcp/mcp.ts'
import { planUpstream } from './from-config.ts'

function open(server: object) {
  const { config } = parseConfig(JSON.stringify({ servers: { s: server } }), { env: {}, readFile: () => '' })
  const [backend, { servers }] = Object.entries(config?.backends ?? {})[0] ?? assert.fail()
  const plan = planUpstream(backend, 's', servers['s'] ?? assert.fail(), config?.limits ?? assert.fail(), 'test', () => 'secret')
  const events = { listChanged() {}, stateChanged() {}, dropped() {}, repaired() {} }
  const upstream = plan.open({
    buffers: new ServerBuffers(),
    clientInfo: { name: 'test', version: '1' },
    now: () => performance.now(),
    random: () => 0.5,
    events,
  })
  void upstream.close(0, true)
  return {
    digest: plan.digest,
    key: upstream.key,
    checkMs: upstream.settings.checkMs,
    identity: upstream.settings.identity,
    name: `${backend}/s`,
  }
}

test('a server’s key names the place where it is, and nothing else of its settings; its endpoints are in neither key nor digest', () => {
  const http = 'http://127.0.0.1:1/mcp'
  const first = open({ http })
  assert.match(first.identity, /^[0-9a-f]{8}$/)
  assert.equal(first.key, `${first.name} ${first.identity}`)
  const others = [
    { http: { url: http }, ttl: '5s' },
    { http, credentials: { header: { Authorization: 'env:TOKEN' } } },
  ]
  for (const other of others) {
    const { key, digest } = open(other)
    assert.equal(key, first.key)
    assert.notEqual(digest, first.digest)
  }
  const { key, digest } = open({ http: { url: http, endpoints: ['127.0.0.1:2'] } })
  assert.deepEqual([key, digest], [first.key, first.digest])
  for (const url of ['http://127.0.0.1:2/mcp', 'http://127.0.0.1:1/', 'https://127.0.0.1:1/mcp'])
    assert.notEqual(open({ http: url }).key, first.key)
})

test('a server that is reached by TLS is asked less often whether it is there', () => {
  assert.deepEqual(
    ['http://127.0.0.1:1/mcp', 'https://127.0.0.1:1/mcp'].map((http) => open({ http }).checkMs),
    [3000, 30_000],
  )
})
