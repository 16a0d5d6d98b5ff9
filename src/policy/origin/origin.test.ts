import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head } from '../../mcp/mcp.ts'
import { createOriginPolicy } from './origin.ts'
import type { OriginSettings } from './settings.ts'

function judge(settings: OriginSettings, host: string, headers: Readonly<Record<string, string>> = {}, method = 'POST') {
  const head: Head = { method, path: '/', query: '', host, listener: '', remote: '', header: (name) => headers[name] }
  const verdict = createOriginPolicy(settings).admit(head)
  assert.ok(verdict)
  return verdict
}

const loopback: OriginSettings = {
  hosts: ['localhost', '127.0.0.1', '[::1]'],
  origins: ['http://localhost:*', 'http://[::1]:*', 'https://app.example'],
}
const open: OriginSettings = { hosts: undefined, origins: [] }
const named: OriginSettings = { hosts: ['mcp.example.com', '*.tools.example'], origins: [] }

/** Settings, Host, Origin, and the reason of the refusal. */
const table: readonly (readonly [settings: OriginSettings, host: string, origin: string | undefined, reason: string | undefined])[] = [
  [{ hosts: ['10.0.0.7:8080'], origins: [] }, '10.0.0.7:8080', undefined, undefined],
  [{ hosts: ['10.0.0.7:8080'], origins: [] }, '10.0.0.7:8081', undefined, 'host'],
  [{ hosts: ['10.0.0.7:8080'], origins: [] }, '10.0.0.7', undefined, 'host'],
  [{ hosts: ['*'], origins: [] }, 'any.example:1', undefined, undefined],
  [loopback, 'localhost', undefined, undefined],
  [loopback, 'localhost:8080', undefined, undefined],
  [loopback, '127.0.0.1:1', undefined, undefined],
  [loopback, '[::1]', undefined, undefined],
  [loopback, '[::1]:8080', undefined, undefined],
  [loopback, '::1', undefined, 'host'],
  [loopback, 'evil.example', undefined, 'host'],
  [loopback, 'localhost.evil.example', undefined, 'host'],
  [loopback, 'evil.localhost', undefined, 'host'],
  [loopback, '127.0.0.2', undefined, 'host'],
  [loopback, '', undefined, 'host'],
  [loopback, ':8080', undefined, 'host'],
  [loopback, 'localhost', 'http://localhost', undefined],
  [loopback, 'localhost', 'http://localhost:6274', undefined],
  [loopback, 'localhost', 'http://[::1]:1', undefined],
  [loopback, 'localhost', 'https://localhost:6274', 'origin'],
  [loopback, 'localhost', 'http://localhost:', 'origin'],
  [loopback, 'localhost', 'http://localhost:123456', 'origin'],
  [loopback, 'localhost', 'http://localhost:80/x', 'origin'],
  [loopback, 'localhost', 'http://localhost:80@evil.example', 'origin'],
  [loopback, 'localhost', 'http://localhost.evil.example', 'origin'],
  [loopback, 'localhost', 'https://app.example', undefined],
  [loopback, 'localhost', 'https://app.example:8443', 'origin'],
  [loopback, 'localhost', 'https://app.example, https://evil.example', 'origin'],
  [loopback, 'localhost', 'null', 'origin'],
  [loopback, 'localhost', '', 'origin'],
  [open, 'anything.example', undefined, undefined],
  [open, 'anything.example', 'https://anything.example', 'origin'],
  [named, 'mcp.example.com:443', undefined, undefined],
  [named, 'x.tools.example', undefined, undefined],
  [named, 'x.y.tools.example', undefined, undefined],
  [named, 'tools.example', undefined, 'host'],
  [named, '.tools.example', undefined, 'host'],
  [named, 'xtools.example', undefined, 'host'],
  [named, '*.tools.example.evil', undefined, 'host'],
]

test('hosts and origins', () => {
  for (const [settings, host, origin, reason] of table) {
    const verdict = judge(settings, host, origin === undefined ? {} : { origin })
    assert.equal(verdict.kind === 'refused' ? verdict.reason : undefined, reason, `${host} ${origin}`)
  }
})

test('a page that is known gets CORS headers for itself alone; who is no page gets none', () => {
  assert.deepEqual(judge(loopback, 'localhost', { origin: 'https://app.example' }), {
    kind: 'pass',
    headers: {
      'access-control-allow-origin': 'https://app.example',
      'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate',
      vary: 'Origin',
    },
  })
  assert.deepEqual(judge(loopback, 'localhost'), { kind: 'pass', headers: {} })
})

test('a preflight is answered with what it asks for, if these are names of headers', () => {
  const preflight = (asked: string) =>
    judge(loopback, 'localhost', { origin: 'https://app.example', 'access-control-request-headers': asked }, 'OPTIONS')
  const passed = preflight('content-type, mcp-session-id')
  assert.ok(passed.kind === 'pass')
  assert.equal(passed.headers['access-control-allow-headers'], 'content-type, mcp-session-id')
  assert.equal(passed.headers['access-control-allow-methods'], 'GET, POST, DELETE, OPTIONS')
  for (const odd of ['', 'a b', 'a\r\nset-cookie: x', 'a;b', '*']) {
    const verdict = preflight(odd)
    assert.ok(verdict.kind === 'pass' && !('access-control-allow-headers' in verdict.headers), odd)
  }
})
