import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { digestOfDocument, type Problem, podSource, readPodDocument, redactConfig, resolveSecret } from '../config.ts'

const encode = (text: string | Buffer) => Buffer.from(text).toString('base64')
const listener = { name: 'http', address: '0.0.0.0', port: 8080, protocol: 'HTTP', insecure: true }
const document = { 'mcplex.dev/version': '0.1.0', listeners: [listener], backends: {}, routes: [] }
const key = { id: 'a', secret: Buffer.alloc(32, 7).toString('base64') }
const token = 'a${HOME}$b$$'
const parts = { 'sessions.keys': encode(JSON.stringify([key])), 'admin.token': encode(token) }
const text = JSON.stringify(document)

function problemsOf(data: Parameters<typeof readPodDocument>[0]): readonly Problem[] {
  const { config, problems } = readPodDocument(data)
  assert.equal(config, undefined)
  return problems
}

describe('readPodDocument', () => {
  it('adds what the pod has of its own to the document', () => {
    const { config, digest, version, problems } = readPodDocument({ 'config.json': encode(text), ...parts })
    assert.deepEqual([digest, version, problems], [digestOfDocument(text), '0.1.0', []])
    assert.ok(config)
    assert.deepEqual([config.admin.listen, config.health.listen], ['0.0.0.0:15000', '0.0.0.0:15021'])
    assert.deepEqual(config.sessions.keys, [key])
    assert.equal(config.sessions.idle, '30m')
  })

  it('takes tokens and keys literally, and hides them', () => {
    const { config } = readPodDocument({ 'config.json': encode(text), ...parts })
    assert.ok(config?.admin.token)
    assert.equal(resolveSecret(config.admin.token, podSource), token)
    const shown = JSON.stringify(redactConfig(config))
    assert.ok(!shown.includes('HOME') && !shown.includes(key.secret), shown)
  })

  it('leaves what the document says of sessions, and writes over what is the pod’s own', () => {
    const own = { sessions: { idle: '1h' }, admin: { listen: '0.0.0.0:1' }, health: { listen: 'off' } }
    const { config } = readPodDocument({ 'config.json': encode(JSON.stringify({ ...document, ...own })), ...parts })
    assert.deepEqual([config?.sessions.idle, config?.sessions.keys], ['1h', [key]])
    assert.deepEqual([config?.admin.listen, config?.health.listen], ['0.0.0.0:15000', '0.0.0.0:15021'])
  })

  it('takes a document that names no version for one of Kubernetes', () => {
    const { 'mcplex.dev/version': _version, ...rest } = { ...document, backends: { 'ns/b': { servers: {} } } }
    const { config, version } = readPodDocument({ 'config.json': encode(JSON.stringify(rest)), ...parts })
    assert.deepEqual([Object.keys(config?.backends ?? {}), version], [['ns/b'], ''])
  })

  it('unpacks', () => {
    const packed = readPodDocument({ 'config.json.gz': gzipSync(text).toString('base64'), ...parts })
    assert.deepEqual([packed.digest, packed.config?.listeners[0]?.name], [digestOfDocument(text), 'http'])
  })

  it('says what is wrong', () => {
    const rows: readonly [object, RegExp][] = [
      [{}, /neither `config.json` nor `config.json.gz`/],
      [{ 'config.json': encode('{') }, /`config.json` is no JSON/],
      [{ 'config.json': encode('[]') }, /a map is needed/],
      [{ 'config.json': encode('null') }, /a map is needed/],
      [{ 'config.json': encode(text), 'sessions.keys': undefined }, /no keys in `sessions.keys`/],
      [{ 'config.json': encode(text), 'sessions.keys': encode('[]') }, /no keys in `sessions.keys`/],
      [{ 'config.json': encode(text), 'sessions.keys': encode('hunter2') }, /no keys in `sessions.keys`/],
      [{ 'config.json': encode(text), 'sessions.keys': encode('[{"id":"a","secret":"hunter2"}]') }, /secret/],
      [{ 'config.json': encode(text), 'admin.token': undefined }, /no token in `admin.token`/],
      [{ 'config.json': encode(text), 'admin.token': '' }, /no token in `admin.token`/],
      [{ 'config.json': encode(text), 'admin.token': encode('hunter2\n') }, /secret/],
      [{ 'config.json.gz': encode('hunter2') }, /no gzip/],
      [{ 'config.json.gz': gzipSync(Buffer.alloc(3 * 1024 * 1024, 32)).toString('base64') }, /more than 2 MiB/],
      [{ 'config.json': encode(JSON.stringify({ ...document, sessions: 7 })) }, /the value is a number, but a map is needed/],
      [{ 'config.json': encode(JSON.stringify({ ...document, novelty: {} })) }, /there is no key `novelty` here/],
      [{ 'config.json': encode(`{"novelty":${'['.repeat(500_000)}${']'.repeat(500_000)}}`) }, /nested too deeply/],
    ]
    for (const [data, expected] of rows) {
      const said = problemsOf({ ...parts, ...data })
        .map((problem) => `${problem.path} ${problem.text} ${problem.hint}`)
        .join('\n')
      assert.match(said, expected)
      assert.ok(!said.includes('hunter2'), said)
    }
  })

  it('knows digest and version of what it refuses', () => {
    const other = JSON.stringify({ ...document, 'mcplex.dev/version': '9.0.0', novelty: {} })
    const { digest, version, config } = readPodDocument({ 'config.json': encode(other), ...parts })
    assert.deepEqual([digest, version, config], [digestOfDocument(other), '9.0.0', undefined])
  })

  it('refers to nothing of the pod', () => {
    const servers = (name: string) => ({ s: { http: { url: 'http://a.example/mcp' }, credentials: { header: { x: name } } } })
    for (const name of ['${PATH}', '${file:/etc/hostname}']) {
      const said = problemsOf({
        'config.json': encode(JSON.stringify({ ...document, backends: { 'n/b': { servers: servers(name) } } })),
        ...parts,
      })
      assert.match(said[0]?.code ?? '', /unset-variable|unreadable-file/)
    }
  })
})
