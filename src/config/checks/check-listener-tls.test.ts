import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeAuthority } from '../../listen/certificate-for-test.ts'
import { parseConfig } from '../document/document.ts'
import type { Config } from '../model/model.ts'
import { formatPath } from '../tree/tree.ts'
import { checkListenerTls } from './check-listener-tls.ts'

const authority = makeAuthority('One')
const [good, other] = [authority.issue(), authority.issue()]
const pair = (cert: string, key: string) => ({ certificates: [{ cert, key }] })
const tls = pair(good.cert, good.key)
const web = (more: object) => ({ name: 'web', address: '127.0.0.1', port: 8443, protocol: 'HTTPS', tls, insecure: false, ...more })

/** Problems that the check itself reports, as `code path`. */
function problemsOf(listeners: readonly object[]): string[] {
  const { config } = parseConfig(JSON.stringify({ servers: {} }), { env: {}, readFile: () => '' })
  assert.ok(config)
  const found: string[] = []
  const named: Config['listeners'] = JSON.parse(JSON.stringify(listeners.map((listener, index) => ({ ...listener, name: `l${index}` }))))
  checkListenerTls({ ...config, listeners: named }, (code, path, _what, text, hint) => {
    assert.doesNotMatch(`${text}${hint}`, /PRIVATE|words/)
    found.push(`${code} ${formatPath(path)}`)
  })
  return found
}

test('how listeners speak HTTPS is checked', () => {
  const rows: readonly (readonly [what: string, listeners: readonly object[], problems: readonly string[]])[] = [
    ['HTTPS with its certificate', [web({})], []],
    ['plain HTTP', [web({ protocol: 'HTTP', tls: undefined })], []],
    ['HTTPS without', [web({ tls: undefined })], ['missing-key listeners[0].tls']],
    ['a certificate without HTTPS', [web({ protocol: 'HTTP' })], ['needs-key listeners[0].tls']],
    ['no certificate', [web({ tls: pair('words', good.key) })], ['bad-value listeners[0].tls.certificates[0].cert']],
    ['no key', [web({ tls: pair(good.cert, 'words') })], ['bad-value listeners[0].tls.certificates[0].key']],
    ['the key of another', [web({ tls: pair(good.cert, other.key) })], ['bad-value listeners[0].tls.certificates[0].key']],
    ['a key that is elsewhere', [web({ tls: pair(good.cert, '${file:words}') })], []],
    ['authorities', [web({ tls: { ...tls, clientCa: authority.cert + makeAuthority('Two').cert } })], []],
    ['no authorities', [web({ tls: { ...tls, clientCa: 'words' } })], ['bad-value listeners[0].tls.clientCa']],
    [
      'a broken authority',
      [web({ tls: { ...tls, clientCa: `${authority.cert}-----BEGIN CERTIFICATE-----\nwords\n-----END CERTIFICATE-----` } })],
      ['bad-value listeners[0].tls.clientCa'],
    ],
    ['an authority without its root', [web({ tls: { ...tls, clientCa: good.cert } })], ['bad-value listeners[0].tls.clientCa']],
    [
      'one socket, two protocols',
      [web({ hostname: 'a.example' }), web({ hostname: 'b.example', protocol: 'HTTP', tls: undefined })],
      ['conflicting-keys listeners[1].protocol'],
    ],
    ['one socket, two names', [web({ hostname: 'a.example' }), web({ hostname: 'b.example', tls: pair(other.cert, other.key) })], []],
    ['any port, one name, equal certificates', [web({ port: 0 }), web({ port: 0 })], []],
    [
      'any port, one name, other certificates',
      [web({ port: 0 }), web({ port: 0, tls: pair(other.cert, other.key) })],
      ['conflicting-keys listeners[1].tls'],
    ],
    ['two ports', [web({}), web({ port: 80, protocol: 'HTTP', tls: undefined })], []],
  ]
  for (const [what, listeners, problems] of rows) assert.deepEqual(problemsOf(listeners), problems, what)
})
