import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from '../../mcp/mcp.ts'
import {
  configurationPage,
  durationMs,
  escapeReferences,
  findConfigFile,
  formatAddress,
  headerLimit,
  isLoopback,
  parseAddress,
  sizeBytes,
  targetUrl,
} from '../config.ts'
import { resolveReferences } from '../values/values.ts'

describe('durations and sizes', () => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['5s', 5000],
    ['1h30m', 5_400_000],
    ['1h1m1s1ms', 3_661_001],
    ['0s', 0],
    ['99999h', 359_996_400_000],
  ] as const) {
    it(`${text} is ${ms} ms`, () => assert.equal(durationMs(text), ms))
  }
  for (const text of ['', '5', 's', '-5s', '1.5s', '100000s', '1d', '1s1s1s1s1s', '5 s']) {
    it(`"${text}" is no duration`, () => assert.throws(() => durationMs(text), RangeError))
  }
  it('reads sizes', () => {
    assert.deepEqual([sizeBytes('16KiB'), sizeBytes('4MiB')], [16_384, 4_194_304])
    assert.deepEqual(headerLimit('16KiB/100'), { bytes: 16_384, count: 100 })
    for (const text of ['4', '4MB', '4GiB', '-1KiB']) assert.throws(() => sizeBytes(text), RangeError)
  })
})

describe('addresses', () => {
  it('reads and writes them', () => {
    for (const text of ['127.0.0.1:80', '[::1]:80', 'localhost:0'])
      assert.equal(formatAddress(parseAddress(text) ?? { host: '', port: -1 }), text)
    assert.deepEqual(parseAddress('80'), { host: '127.0.0.1', port: 80 })
    for (const text of ['', ':80', '::1:80', '[::1]', '[a]:80', '127.0.0.1', '127.0.0.1:65536', 'a.example:80', '1.2.3.4:8e1']) {
      assert.equal(parseAddress(text), undefined, text)
    }
  })
  it('knows which ones only this machine reaches', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1']) assert.ok(isLoopback(host), host)
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '::2', 'localhost.example']) assert.ok(!isLoopback(host), host)
  })
  it('makes one URL of both spellings of a target', () => {
    assert.equal(targetUrl({ url: 'http://a.example/mcp' }), 'http://a.example/mcp')
    assert.equal(targetUrl({ host: 'a.example', port: 80, path: '/mcp' }), 'http://a.example/mcp')
    assert.equal(targetUrl({ host: '::1', port: 8443, path: '/x', tls: { insecure: false } }), 'https://[::1]:8443/x')
  })
})

describe('findConfigFile', () => {
  const cases = [
    [{ flag: 'a.yaml', env: { MCPLEX_CONFIG: 'b.yaml' } }, ['/w/mcplex.yaml'], '/w/a.yaml'],
    [{ flag: undefined, env: { MCPLEX_CONFIG: '/b.yaml' } }, ['/w/mcplex.yaml'], '/b.yaml'],
    [{ flag: undefined, env: { MCPLEX_CONFIG: '' } }, ['/w/mcplex.json', '/w/mcplex.yml'], '/w/mcplex.yml'],
    [{ flag: undefined, env: {} }, ['/w/mcplex.json'], '/w/mcplex.json'],
    [{ flag: undefined, env: {} }, [], undefined],
  ] as const
  for (const [given, there, found] of cases) {
    it(`finds ${found}`, () =>
      assert.equal(findConfigFile({ ...given, cwd: '/w', exists: (path) => there.some((one) => one === path) }), found))
  }
})

describe('references', () => {
  it('come back from escapeReferences as they were', () => {
    for (const text of ['${A}', '$$', '$', 'a$b${file:x}']) {
      assert.deepEqual(resolveReferences(escapeReferences(text), { env: {}, readFile: () => '' }), { kind: 'value', value: text })
    }
  })
  it('find no variable on a prototype', () => {
    assert.equal(resolveReferences('${constructor}', { env: {}, readFile: () => '' }).kind, 'fault')
  })
})

describe('nearest', () => {
  it('counts inserts, deletes, replacements and swaps, and knows when nothing is near', () => {
    const keys = ['listen', 'listeners', 'servers', 'agents']
    assert.deepEqual(
      ['lsiten', 'listenrs', 'serverz', 'agent', 'xyzzy', ''].map((word) => nearest(word, keys)),
      ['listen', 'listeners', 'servers', 'agents', undefined, undefined],
    )
  })
})

describe('the pages', () => {
  it('name the keys of both forms', () => {
    for (const text of ['| `listen` |', '## `agents.<name>`', '| `era` | `auto` \\| `legacy` \\| `modern` | `auto` |', '*not yet*']) {
      assert.ok(configurationPage().includes(text), text)
    }
  })
})
