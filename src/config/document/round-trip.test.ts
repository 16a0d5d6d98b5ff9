import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { type Config, parseConfig, printConfig, problemsJson, redactConfig, renderProblems, resolveSecret } from '../config.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?$/)
const words = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !text.includes('$'))
const anyText = fc.oneof(
  words,
  fc.constantFrom('$$', 'a$$b', 'cost $5', '${WORD}', '${NONE:-x}', 'yes', '8080', 'null', '- a', '# b', 'a: b', 'a\nb'),
)
const duration = fc.constantFrom('500ms', '5s', '1h30m', '0s', '2m')
const path = fc.stringMatching(/^(\/[a-z0-9$]{1,4}){1,3}$/).map((text) => text.replaceAll('$', '$$$$'))
const url = fc
  .tuple(fc.constantFrom('http', 'https'), name, fc.integer({ min: 1, max: 65535 }), path)
  .map(([scheme, host, port, at]) => `${scheme}://${host}.example:${port}${at}`)
const secret = fc.constantFrom('${TOKEN}', 'Bearer ${TOKEN}', '${file:token}', '${TOKEN}$$1')
const optional = <T>(model: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { requiredKeys: [] })

const target = fc.oneof(
  url.map((text) => ({ url: text })),
  fc.record({ host: name, port: fc.integer({ min: 1, max: 65535 }), path }, { requiredKeys: ['host', 'port'] }),
  fc.record({ host: name, port: fc.constant(443), tls: optional({ ca: words, serverName: name, insecure: fc.boolean() }) }),
)
const more = {
  era: fc.constantFrom('auto', 'legacy', 'modern'),
  timeouts: optional({ connect: duration, request: duration, list: duration, idle: duration }),
  ttl: duration,
  credentials: fc.oneof(
    fc.constant('none'),
    fc.record({ header: fc.dictionary(fc.constantFrom('Authorization', 'X-Key'), secret, { minKeys: 1 }) }),
  ),
}
const server = fc.record({ http: target, ...more }, { requiredKeys: ['http'] })
const shortServer = fc.oneof(url, server, fc.record({ http: url, ...more }, { requiredKeys: ['http'] }))
const backendKeys = {
  prefix: fc.constantFrom('always', 'conditional', 'never'),
  failure: fc.constantFrom('open', 'closed'),
  instructions: anyText,
}
const pattern = fc.constantFrom('*', 'math_*', '!math_drop', 'math_$$', '*add')
const uriPattern = fc.constantFrom('*', 'docs+*', '!docs+file:///a?b=$$', 'docs+ui://*', '*.md', 'docs+file:///{path}')

/** Documents that are right: short and long form mixed, agents and routes that lead to what is there. */
const documents = fc
  .record({
    servers: fc.option(fc.dictionary(name, shortServer, { maxKeys: 3 }), { nil: undefined }),
    backends: fc.dictionary(
      name.map((text) => `b-${text}`),
      fc.record({ servers: fc.dictionary(name, server, { maxKeys: 2 }), ...backendKeys }, { requiredKeys: ['servers'] }),
      { minKeys: 1, maxKeys: 3 },
    ),
    agents: fc.option(
      fc.dictionary(
        name,
        optional({
          tools: fc.array(pattern, { maxLength: 2 }),
          prompts: fc.array(pattern, { maxLength: 2 }),
          resources: fc.array(uriPattern, { maxLength: 2 }),
          prefix: backendKeys.prefix,
          path: name.map((text) => `/at/${text}`),
          instructions: anyText,
        }),
        { maxKeys: 3 },
      ),
      { nil: undefined },
    ),
    matches: fc.option(
      fc.array(
        optional({
          path: optional({ type: fc.constantFrom('Exact', 'PathPrefix'), value: path }),
          headers: fc.array(fc.record({ name: fc.constant('X-A'), value: anyText }), { maxLength: 1 }),
          method: fc.constant('POST'),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      { nil: undefined },
    ),
    listen: fc.option(fc.constantFrom(8080, '127.0.0.1:0', '[::1]:9000', 'localhost:1'), { nil: undefined }),
    others: optional({
      sessions: optional({ idle: duration, keys: fc.constant([{ id: 'a', secret: '${KEY}' }]) }),
      limits: optional({
        body: fc.constantFrom('1KiB', '4MiB'),
        depth: fc.integer({ min: 1, max: 100 }),
        headers: fc.constantFrom('16KiB/100', '1MiB/5'),
      }),
      admin: optional({ token: secret, listen: fc.constantFrom('127.0.0.1:15000', '127.0.0.1:7') }),
      health: optional({ listen: fc.constantFrom('off', '0.0.0.0:15021') }),
      observe: optional({ log: optional({ level: fc.constantFrom('debug', 'info'), format: fc.constantFrom('auto', 'json') }) }),
    }),
  })
  .map(({ servers, backends, agents, matches, listen, others }) => {
    const [first = ''] = Object.keys(backends)
    const fromFirst = Object.fromEntries(Object.entries(agents ?? {}).map(([agent, keys]) => [agent, { from: [first], ...keys }]))
    return {
      ...others,
      ...(servers === undefined ? {} : { servers }),
      ...(listen === undefined ? {} : { listen }),
      ...(agents === undefined ? {} : { agents: fromFirst }),
      ...(matches === undefined ? {} : { routes: [{ name: 'x-route', rules: [{ matches, backends: [{ backend: first }] }] }] }),
      backends,
    }
  })

const value = 'tOp-s3cret-value'
const from = { env: { WORD: 'a ${TOKEN} $$ b', TOKEN: value, KEY: `${'A'.repeat(43)}=` }, readFile: () => value }

function parsed(text: string): Config {
  const { config, problems } = parseConfig(text, from)
  assert.ok(config, `${text}\n${problemsJson(problems)}`)
  return config
}

describe('printConfig', () => {
  it('prints what parses to an equal Config, and prints the same again', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const config = parsed(stringify(document))
        const printed = printConfig(config)
        assert.deepEqual(parsed(printed), config)
        assert.equal(printConfig(parsed(printed)), printed)
      }),
      { numRuns: 80 },
    )
  })

  it('keeps the order of maps', () => {
    const config = parsed('servers: { z: http://z/, a: http://a/, m: http://m/ }')
    assert.deepEqual(Object.keys(parsed(printConfig(config)).backends.default?.servers ?? {}), ['z', 'a', 'm'])
  })
})

describe('secrets', () => {
  it('are never in a Config, in print or in problems', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom('', '\nbogus: 1', '\nadmin: 7', '\n - : x'), (document, spoiler) => {
        const text = stringify(document) + spoiler
        const { config, problems } = parseConfig(text, from)
        const shown = [
          JSON.stringify(config ?? {}),
          config === undefined ? '' : printConfig(config),
          problemsJson(problems),
          renderProblems(problems, text, { file: 'f', color: true }),
        ]
        for (const part of shown) assert.ok(!part.includes(value), part)
      }),
      { numRuns: 80 },
    )
  })

  it('resolve when they are asked for, or say what is missing', () => {
    const { config } = parseConfig('servers: {}\nadmin: { token: "Bearer ${TOKEN}$$" }', from)
    assert.equal(config?.admin.token, 'Bearer ${TOKEN}$$')
    assert.equal(resolveSecret(config?.admin.token ?? '', from), `Bearer ${value}$`)
    assert.throws(() => resolveSecret('${GONE}', from), /unset-variable: .*GONE/)
  })

  it('that stand in the document are taken out by redactConfig alone', () => {
    const config = parsed(
      'servers: { a: { http: http://a/, credentials: { header: { A: hunter2, B: "x ${TOKEN}", C: "${NONE:-hunter2}" } } } }\nadmin: { token: hunter2 }',
    )
    assert.equal(config.admin.token, 'hunter2')
    const redacted = redactConfig(config)
    assert.deepEqual(redacted.backends.default?.servers.a?.credentials, { header: { A: '[redacted]', B: 'x ${TOKEN}', C: '[redacted]' } })
    assert.ok(!printConfig(redacted).includes('hunter2'))
  })
})
