import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePlain } from '../../config/config.ts'
import type { Raw } from '../objects/objects.ts'
import { callersOf } from './callers.ts'

const jwt = (mode: string): Raw => ({
  authenticate: { mode, jwt: [{ issuer: 'https://id.example', audiences: ['a'], jwks: { url: 'https://id.example/certs' } }] },
})
const keys: Raw = { authenticate: { apiKeys: [{ id: 'a', sha256: '0'.repeat(64) }] } }
const strict = jwt('strict')

const listener = (name: string, port: number, policies?: Raw): Raw => ({
  name,
  address: '0.0.0.0',
  port,
  insecure: true,
  ...(policies === undefined ? {} : { policies }),
})
const route = (name: string, policies?: Raw, more: Raw = {}): Raw => ({
  name,
  ...more,
  ...(policies === undefined ? {} : { policies }),
  rules: [{ matches: [{ path: { value: `/${name}` } }], backends: [{ backend: 'b' }] }],
})
const refusing: Raw = { name: 'no', rules: [{ matches: [{ path: { value: '/no' } }], backends: [{ refuse: { status: 500 } }] }] }

function callers(routes: readonly Raw[], listeners: readonly Raw[] = [listener('http', 80)], more: Raw = {}) {
  const backends = { b: { servers: { s: { http: { host: 's', port: 1 } } } } }
  const document = { 'mcplex.dev/version': '0', listeners, backends, routes, ...more }
  const { config, problems } = parsePlain(document, { origin: 'kubernetes', env: {}, readFile: () => '' })
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  )
  return callersOf(config)
}

const open = 'No authentication: whoever reaches it may use it'

describe('who may call through a Gateway', () => {
  const table: readonly (readonly [name: string, said: ReturnType<typeof callers>, text: string, guarded: readonly string[]])[] = [
    ['nothing asks', callers([route('a')]), open, []],
    ['nothing is there', callers([]), open, []],
    ['every route asks', callers([route('a', strict), route('b', strict)]), 'Callers authenticate by JWT', ['http']],
    ['each in its way', callers([route('a', strict), route('b', keys)]), 'Callers authenticate by JWT or API key', ['http']],
    ['what refuses opens nothing', callers([route('a', strict), refusing]), 'Callers authenticate by JWT', ['http']],
    ['all of it asks', callers([route('a')], undefined, { policies: keys }), 'Callers authenticate by API key', ['http']],
    ['a listener without routes asks', callers([], [listener('http', 80, strict)]), 'Callers authenticate by JWT', ['http']],
    ['none needs to', callers([route('a', jwt('optional'))]), 'Callers may stay anonymous: authentication by JWT is optional', []],
    [
      'one of two asks',
      callers([route('a', strict), route('b')]),
      'No authentication for b: whoever reaches it may use it, callers of a authenticate by JWT',
      [],
    ],
    [
      'one of three listeners is open',
      callers(
        [route('a', undefined, { listeners: ['http', 'keys'] }), route('b', strict, { listeners: ['other'] })],
        [listener('http', 80), listener('keys', 81, keys), listener('other', 82)],
      ),
      'No authentication for a: whoever reaches it may use it, callers of a, b authenticate by JWT or API key',
      ['keys', 'other'],
    ],
    [
      'many are open',
      callers([route('x', strict), ...Array.from({ length: 12 }, (_, index) => route(`r${index}`))]),
      'No authentication for r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 and 2 more: whoever reaches it may use it, callers of x authenticate by JWT',
      [],
    ],
  ]
  for (const [name, said, text, guarded] of table)
    it(name, () => assert.deepEqual({ text: said.text, guarded: [...said.guarded] }, { text, guarded }))

  it('is not said of what is not valid', () => assert.equal(callersOf(undefined).text, 'Who may call stays as it was'))
})
