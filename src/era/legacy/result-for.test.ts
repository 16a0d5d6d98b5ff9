import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { objectText } from '../../mcp/json/arbitrary-json-for-test.ts'
import type { Method } from '../../mcp/mcp.ts'
import { legacyVersions } from '../versions.ts'
import { resultFor } from './result-for.ts'

const text = '{"type":"text","text":"\\u0061"}'
const link = '{"type":"resource_link","name":"n","uri":"a:b","mimeType":"x/y"}'
const audio = '{ "mimeType":"audio/wav","type":"audio","data":"AA==" }'
const linkText = '{"type":"text","text":"n: a:b"}'
const audioText = `{"type":"text","text":"[audio/wav: this client's protocol revision has no audio]"}`
const blocks = (...list: readonly string[]) => `{"content":[${list.join(',')}]}`
const prompt = (...list: readonly string[]) => `{"messages":[${list.map((one) => `{"role":"user", "content":${one}}`).join(', ')}],"n":1.0}`

/** What is sent, to clients of which revisions, and what they get. */
const table: readonly (readonly [name: string, method: Method, text: string, got: Readonly<Record<string, string>>])[] = [
  ['a link', 'tools/call', blocks(text, link), { '2025-03-26': blocks(text, linkText), '2024-11-05': blocks(text, linkText) }],
  ['audio', 'tools/call', blocks(audio, text), { '2024-11-05': blocks(audioText, text) }],
  ['a link', 'prompts/get', prompt(link, text), { '2025-03-26': prompt(linkText, text), '2024-11-05': prompt(linkText, text) }],
  ['audio', 'prompts/get', prompt(text, audio), { '2024-11-05': prompt(text, audioText) }],
  ['both', 'tools/call', blocks(link, audio), { '2025-03-26': blocks(linkText, audio), '2024-11-05': blocks(linkText, audioText) }],
  [
    'structure beside text',
    'tools/call',
    `{"structuredContent":{"a":1.0},"isError":true,"content":[${text}]}`,
    { '2025-03-26': `{"isError":true,"content":[${text}]}`, '2024-11-05': `{"isError":true,"content":[${text}]}` },
  ],
  [
    'structure alone',
    'tools/call',
    '{"content":[],"structuredContent":{"a":1.0}}',
    { '2025-03-26': blocks('{"type":"text","text":"{\\"a\\":1.0}"}'), '2024-11-05': blocks('{"type":"text","text":"{\\"a\\":1.0}"}') },
  ],
  [
    'words that are only text',
    'tools/call',
    blocks('{"type":"text","text":"\\"audio\\" resource_link"}', '{"type":"text","text":"audio"}'),
    {},
  ],
  [
    'hints of what was read',
    'resources/read',
    '{"ttlMs":5,"contents":[{"uri":"a:b","text":"ttlMs"}],"cacheScope":"public"}',
    Object.fromEntries(legacyVersions.map((version) => [version, '{"contents":[{"uri":"a:b","text":"ttlMs"}]}'])),
  ],
  ['what only looks new elsewhere', 'completion/complete', '{"ttlMs":1,"structuredContent":7,"type":"audio"}', {}],
]

for (const [name, method, sent, got] of table)
  for (const version of legacyVersions)
    test(`${method} to ${version}: ${name}`, () => assert.equal(resultFor(sent, method, version), got[version] ?? sent))

test('structure that is no object is told as text, to every revision', () => {
  for (const version of [...legacyVersions, undefined]) {
    assert.equal(resultFor('{"structuredContent":[1.0],"content":[]}', 'tools/call', version), blocks('{"type":"text","text":"[1.0]"}'))
    assert.equal(resultFor(`{"structuredContent":7,"content":[${text}]}`, 'tools/call', version), blocks(text))
  }
})

test('a client that does not say its revision reads all but hints', () => {
  const rich = `{"content":[${link},${audio}],"structuredContent":{"a":1.0}}`
  assert.equal(resultFor(rich, 'tools/call', undefined), rich)
})

test('whatever is in a result, an early client gets no block that it does not know, and every other one as it was', () => {
  const isBlock = (one: string) => !JSON.stringify(JSON.parse(one)).includes('resource_link') && !/"type":"(audio|text)"/.test(one)
  const other = objectText({ repeats: false }).filter(isBlock)
  const block = fc.oneof(fc.constantFrom(text, link, audio), other)
  const early = fc.constantFrom(...legacyVersions.slice(2))
  fc.assert(
    fc.property(fc.array(block, { maxLength: 5 }), objectText({ repeats: false }), early, (list, structured, version) => {
      const told = new Map([[link, linkText], ...(version === '2024-11-05' ? ([[audio, audioText]] as const) : [])])
      const expected = list.map((one) => told.get(one) ?? one)
      assert.equal(resultFor(blocks(...list), 'tools/call', version), blocks(...expected))
      assert.equal(resultFor(prompt(...list), 'prompts/get', version), prompt(...expected))
      const both = `{"content":[${list.join(',')}],"structuredContent":${structured}}`
      const alone = [`{"type":"text","text":${JSON.stringify(structured)}}`]
      assert.equal(resultFor(both, 'tools/call', version), blocks(...(list.length === 0 ? alone : expected)))
    }),
  )
})
