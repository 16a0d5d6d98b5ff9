import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'
import fc from 'fast-check'
import { members } from '../mcp/mcp.ts'
import { repairToolResult } from './repair.ts'

function repair(text: string): string | undefined {
  return repairToolResult(text, members(text, 0, text.length), 'legacy')
}

const text = (content: string) => ({ type: 'text', text: content })

/** Name, the server's result, and what becomes of it; undefined: it is valid and stays as it is. */
const table: readonly (readonly [name: string, sent: string, got: unknown])[] = [
  ['a valid result', '{"content":[{"type":"text","text":"5"}],"isError":false}', undefined],
  ['no content at all is a valid content', '{"content":[]}', undefined],
  [
    'each kind of block',
    '{"content":[{"type":"image","data":"AA==","mimeType":"image/png"},{"type":"audio","data":"AA==","mimeType":"audio/wav"},{"type":"resource","resource":{"uri":"a:b","text":"x"}},{"type":"resource_link","uri":"a:b","name":"n"}]}',
    undefined,
  ],
  [
    'the math server: a bare string and an object without a type',
    '{"content":["[TextContent(type=\'text\', text=\'5\', annotations=None, meta=None)]",{"result":5}],"isError":false}',
    { isError: false, content: [text("[TextContent(type='text', text='5', annotations=None, meta=None)]"), text('{"result":5}')] },
  ],
  [
    'the date server: the same with a string in the object',
    '{"content":["[TextContent(…)]",{"result":"2026-11-20"}],"isError":false}',
    { isError: false, content: [text('[TextContent(…)]'), text('{"result":"2026-11-20"}')] },
  ],
  ['a string in place of the list', '{"content":"hello \\"you\\" \\u00e9"}', { content: [text('hello "you" é')] }],
  ['an object in place of the list', '{"content":{"type":"text","text":"x"}}', { content: [text('x')] }],
  ['nested lists', '{"content":[["a",[["b"]],[]],{"type":"text","text":"c"}]}', { content: [text('a'), text('b'), text('c')] }],
  ['nothing in a list', '{"content":[null,"a",null]}', { content: [text('a')] }],
  ['null content', '{"content":null}', { content: [] }],
  ['no content', '{}', { content: [] }],
  [
    'no content beside a structured one',
    '{"structuredContent":{"n": 1.0}}',
    { structuredContent: { n: 1 }, content: [text('{"n": 1.0}')] },
  ],
  ['numbers and booleans, as they were written', '{"content":[1e400,1.0,true]}', { content: [text('1e400'), text('1.0'), text('true')] }],
  ['an isError of null', '{"content":[],"isError":null}', { content: [] }],
  ...['"yes"', '"True"', '1', '{}', '["x"]', '"it broke"'].map(
    (flag) => [`an isError of ${flag}`, `{"content":["a"],"isError":${flag}}`, { isError: true, content: [text('a')] }] as const,
  ),
  ...['"false"', '"No"', '0', '-0.0', '""'].map(
    (flag) => [`an isError of ${flag}`, `{"content":["a"],"isError":${flag}}`, { content: [text('a')] }] as const,
  ),
  ['an isError beside a broken content', '{"content":"a","isError":true}', { isError: true, content: [text('a')] }],
  ['an unknown type', '{"content":[{"type":"video","data":""}]}', { content: [text('{"type":"video","data":""}')] }],
  ['a type of another type', '{"content":[{"type":7}]}', { content: [text('{"type":7}')] }],
  ['a type that every object has', '{"content":[{"type":"toString"}]}', { content: [text('{"type":"toString"}')] }],
  ['a text block without its text', '{"content":[{"type":"text"}]}', { content: [text('{"type":"text"}')] }],
  ['a text block whose text is a number', '{"content":[{"type":"text","text":5}]}', { content: [text('{"type":"text","text":5}')] }],
  ['an image without its type', '{"content":[{"type":"image","data":"AA=="}]}', { content: [text('{"type":"image","data":"AA=="}')] }],
  [
    'an image that is no Base64',
    '{"content":[{"type":"image","data":"!","mimeType":"a/b"}]}',
    { content: [text('{"type":"image","data":"!","mimeType":"a/b"}')] },
  ],
  ['optional members of null', '{"content":[{"type":"text","text":"x","annotations":null,"_meta":null}]}', { content: [text('x')] }],
  [
    'optional members of null inside a resource',
    '{"content":[{"type":"resource","resource":{"uri":"a:b","mimeType":null,"text":"x"}}]}',
    { content: [{ type: 'resource', resource: { uri: 'a:b', text: 'x' } }] },
  ],
  [
    'a resource without its contents',
    '{"content":[{"type":"resource","resource":{"uri":"a:b"}}]}',
    { content: [text('{"type":"resource","resource":{"uri":"a:b"}}')] },
  ],
  ['members of the result that are null', '{"content":[],"structuredContent":null,"_meta":null}', { content: [] }],
  ['other members stay', '{"a":1,"content":["x"],"_meta":{"k":[]}}', { a: 1, _meta: { k: [] }, content: [text('x')] }],
]

for (const [name, sent, got] of table) {
  test(name, () => {
    const repaired = repair(sent)
    assert.deepEqual(repaired === undefined ? undefined : JSON.parse(repaired), got)
    assert.ok(CallToolResultSchema.safeParse(JSON.parse(repaired ?? sent)).success)
  })
}

test('structured content of null is a value where the server is modern', () => {
  const sent = '{"content":[],"structuredContent":null}'
  assert.equal(repairToolResult(sent, members(sent, 0, sent.length), 'modern'), undefined)
  const unfit = '{"content":"x","structuredContent":null,"_meta":null}'
  const repaired = repairToolResult(unfit, members(unfit, 0, unfit.length), 'modern')
  assert.deepEqual(JSON.parse(repaired ?? ''), { structuredContent: null, content: [text('x')] })
})

const block = fc.record(
  {
    type: fc.constantFrom<unknown[]>('text', 'image', 'audio', 'resource', 'resource_link', 'video', 7),
    text: fc.constantFrom<unknown[]>('x', 5, null),
    data: fc.constantFrom<unknown[]>('AA==', 'not base64!', 5),
    mimeType: fc.constantFrom<unknown[]>('image/png', null),
    uri: fc.constantFrom<unknown[]>('a:b', 'no uri', 7),
    name: fc.constantFrom<unknown[]>('n', 7),
    resource: fc.constantFrom<unknown[]>({ uri: 'a:b', text: 't' }, { uri: 'a:b', blob: 'AA==' }, { uri: 'a:b' }, {}, 'r', null),
    annotations: fc.constantFrom<unknown[]>(
      { priority: 1, audience: ['user'], lastModified: '2026-11-20T09:00:00Z' },
      { priority: 7 },
      { audience: 'user' },
      { audience: ['me'] },
      { lastModified: '2026-99-20T09:00:00Z' },
      { lastModified: '2026-11-20' },
      null,
      'a',
    ),
    title: fc.constantFrom<unknown[]>('t', null, 7),
    description: fc.constantFrom<unknown[]>('t', null, 7),
    icons: fc.constantFrom<unknown[]>([], [{ src: 'a' }], [7], null),
    size: fc.constantFrom<unknown[]>(1, 'x', null),
    _meta: fc.constantFrom<unknown[]>({}, { a: 1 }, null, 7),
  },
  { requiredKeys: [] },
)

test('whatever a server has for content, a strict client takes the result', () => {
  const content = fc.oneof({ weight: 3, arbitrary: fc.array(fc.oneof(block, fc.jsonValue())) }, { weight: 1, arbitrary: fc.jsonValue() })
  const flag = fc.constantFrom<unknown[]>(true, false, null, 'true', 1, undefined)
  fc.assert(
    fc.property(content, flag, fc.constantFrom<unknown[]>(undefined, null, {}, 7), (own, isError, _meta) => {
      const sent = JSON.stringify({ content: own, isError, _meta })
      const repaired = repair(sent)
      const parsed = CallToolResultSchema.safeParse(JSON.parse(repaired ?? sent))
      assert.ok(parsed.success, `${repaired}: ${parsed.error?.message}`)
    }),
    { numRuns: 3000 },
  )
})

test('a repaired result has nothing left to repair', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(block, fc.jsonValue())), (content) => {
      const repaired = repair(JSON.stringify({ content, isError: null }))
      assert.equal(repaired === undefined ? undefined : repair(repaired), undefined)
    }),
  )
})
