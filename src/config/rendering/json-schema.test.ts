import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { jsonSchema, parseConfig } from '../config.ts'

interface Node {
  readonly [key: string]: unknown
}

const schema = jsonSchema() as Node
const strict = () => new Ajv2020({ strict: true })
const validate = strict().compile(schema)
const one = { servers: { a: 'http://127.0.0.1:8001/mcp' } }

/** Whether `mcplex check` takes the document, as far as its own words go: variables are all set. */
function isTaken(document: object): boolean {
  const { problems } = parseConfig(JSON.stringify(document), { env: { PORT: '1', B: 'b' }, readFile: () => '' })
  return problems.every(({ severity }) => severity !== 'error')
}

/** Every schema within a schema, with its place. */
function* nodesOf(node: unknown, path = '#'): Generator<{ readonly path: string; readonly node: Node }> {
  if (typeof node !== 'object' || node === null) return
  if (!Array.isArray(node)) yield { path, node: node as Node }
  for (const [key, value] of Object.entries(node)) {
    if (!['examples', 'default', 'enum', 'const'].includes(key)) yield* nodesOf(value, `${path}/${key}`)
  }
}

const nodes = [...nodesOf(schema)]

describe('jsonSchema', () => {
  it('is strict, and has a name', () => {
    assert.doesNotThrow(() => strict().compile(schema))
    assert.equal(schema['$id'], 'tag:mcplex.dev,2026:configuration')
  })

  const good: readonly object[] = [
    {
      listen: 8080,
      servers: { math: 'http://127.0.0.1:8001/mcp', date: { http: 'http://127.0.0.1:8002/mcp', era: 'legacy' } },
      agents: { sre: { tools: ['date_*'] } },
    },
    { listen: '${PORT}', mcpServers: { My_Server: { type: 'http', url: 'http://a/', headers: { A: '${B}' } } } },
    {
      listeners: [{ name: 'a', port: '${PORT}' }],
      backends: { ops: { servers: { a: { http: { host: 'a', port: 80, endpoints: ['10.0.0.1:80', '[::1]:80'] } } } } },
      limits: { body: '1MiB' },
    },
    { servers: { a: { http: 'http://a/', passHeaders: [] } } },
    ...['HTTP://A', 'http:/a', ' https://a ', 'http://[::1]:80', 'http://a/#', 'https://a/b?c=d@e\\'].map((url) => ({
      servers: { a: url },
    })),
    ...['127.0.0.1:0', '[::1]:65535', 'localhost:80', '00080', '8080'].map((listen) => ({ ...one, listen })),
    ...['127.0.0.1', '::1', 'localhost', '::ffff:127.0.0.1'].map((address) => ({ ...one, listeners: [{ name: 'a', address, port: 1 }] })),
  ]
  it('lets short and long form through, and every address that is taken', () => {
    for (const document of good) {
      assert.ok(validate(document), JSON.stringify([document, validate.errors]))
      assert.ok(isTaken(document), JSON.stringify(document))
    }
  })

  const bad: readonly object[] = [
    { lissten: 1 },
    { servers: { a: { http: { url: 'http://a/', endpoints: ['a:80'] } } } },
    { servers: { math: 7 } },
    { servers: { math: { http: { url: 'http://a/' }, sse: { url: 'http://a/' } } } },
    { servers: { math: {} } },
    { servers: {}, sessions: { idle: '1d' } },
    { servers: { a_b: 'http://a/' } },
    { listeners: [{ name: 'a' }] },
    { listen: 1, listeners: [{ name: 'a', port: 1 }], servers: {} },
    { servers: { a: { http: { host: 'a' } } } },
    { servers: { a: { http: { url: 'http://a', port: 1 } } } },
    { servers: {}, observe: { log: { level: 'loud' } } },
    ...['htp:/x', '127.0.0.1:8001/mcp', 'localhost:8001', 'ftp://a/', 'http://', 'http://a/#b', ''].map((url) => ({ servers: { a: url } })),
    ...['eighty', '0.0.0.0', 'localhost', 'a.example:80', '127.0.0.1:65536', '127.0.0.1:', '::1:80', '1.2.3:80', 65_536].map((listen) => ({
      ...one,
      listen,
    })),
    ...['a.example', '127.0.0.1:80', '[::1]'].map((address) => ({ ...one, listeners: [{ name: 'a', address, port: 1 }] })),
    { ...one, admin: { listen: 'off' } },
    // What this version does not do.
    { mcpServers: { a: { command: 'npx' } } },
    { mcpServers: { a: { type: 'stdio', url: 'http://a/' } } },
    { mcpServers: { a: { type: 'sse', url: 'http://a/' } } },
    { servers: { a: { sse: 'http://a/sse' } } },
    { servers: { a: { command: { run: ['npx'] } } } },
    { servers: { a: { http: 'http://a/', passHeaders: ['a'] } } },
    { servers: { a: { http: 'http://a/', credentials: { passthrough: true } } } },
    { ...one, peers: { find: { dns: 'a' } } },
  ]
  it('refuses what is wrong by itself, as `check` does', () => {
    for (const document of bad) {
      assert.ok(!validate(document), JSON.stringify(document))
      assert.ok(!isTaken(document), JSON.stringify(document))
    }
  })

  it('refuses no URL and no address that `check` takes', () => {
    const parts = [
      'http',
      'HTTPS',
      'htp',
      ':',
      '/',
      '//',
      '\\',
      '@',
      '#',
      '?',
      '.',
      'a',
      '127.0.0.1',
      '[::1]',
      'localhost',
      '8080',
      ' ',
      '%41',
    ]
    const text = fc.array(fc.constantFrom(...parts), { maxLength: 7 }).map((words) => words.join(''))
    fc.assert(
      fc.property(text, fc.constantFrom('url', 'listen', 'admin'), (value, where) => {
        const document =
          where === 'url'
            ? { servers: { a: value } }
            : where === 'listen'
              ? { ...one, listen: value }
              : { ...one, admin: { listen: value } }
        assert.ok(validate(document) || !isTaken(document), JSON.stringify(document))
      }),
      { numRuns: 2000 },
    )
  })

  it('describes every key, names every way in which a value may be written, and shows values that are right', () => {
    let examples = 0
    for (const { path, node } of nodes) {
      if (/\/properties\/[^/]+$/.test(path) && !path.includes('/allOf/')) assert.equal(typeof node['description'], 'string', path)
      if (Array.isArray(node['anyOf']) && !path.includes('/not')) {
        for (const branch of node['anyOf']) assert.equal(typeof branch.title, 'string', `${path}: ${JSON.stringify(branch)}`)
      }
      if (!Array.isArray(node['examples'])) continue
      const isRight = strict().compile({ ...node, $id: 'tag:mcplex.dev,2026:part', $defs: schema['$defs'] as Node })
      for (const example of node['examples']) {
        assert.ok(isRight(example), `${path}: ${JSON.stringify(example)}`)
        examples++
      }
    }
    assert.ok(examples > 50)
  })

  it('says which keys are secret and which are not supported yet', () => {
    const { $defs, properties } = schema as {
      readonly $defs: Record<string, { properties: Record<string, { description: string; writeOnly?: boolean }> }>
      readonly properties: Record<string, { description: string }>
    }
    assert.ok($defs.admin?.properties.token?.writeOnly)
    assert.match($defs.sessionKey?.properties.secret?.description ?? '', /Secret/)
    assert.match(properties.peers?.description ?? '', /Not supported yet/)
    assert.match($defs.clientServer?.properties.command?.description ?? '', /Not supported yet: run it behind an HTTP bridge/)
    assert.match($defs.clientServer?.properties.type?.description ?? '', /Not supported yet: sse, stdio/)
    assert.doesNotMatch(properties.servers?.description ?? '', /Not supported yet/)
  })
})
