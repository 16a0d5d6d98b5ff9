import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { objectText } from './arbitrary-json-for-test.ts'
import type { JsonFault, JsonLimits, Member, Message } from './message.ts'
import { scanBatch, scanMessage } from './scan.ts'
import { textOf } from './split.ts'

const ample: JsonLimits = { depth: 1000, tokens: 1_000_000 }

function outcome(text: string, limits = ample): 'message' | JsonFault['fault'] {
  const read = scanMessage(text, limits)
  return read.kind === 'message' ? 'message' : read.fault
}

function message(text: string): Message {
  const read = scanMessage(text, ample)
  assert(read.kind === 'message', read.kind === 'fault' ? read.text : '')
  return read
}

function faultOf(read: ReturnType<typeof scanMessage> | ReturnType<typeof scanBatch>): JsonFault {
  assert('kind' in read && read.kind === 'fault')
  return read
}

describe('scanMessage reads what RFC 8259 allows', () => {
  const texts = [
    '{}',
    ' \t\r\n{ \t\r\n} \t\r\n',
    '{"":{"":[[],{},"",0,-0,0.5,1e5,1E+5,1e-5,10,true,false,null]}}',
    String.raw`{"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\ud800"}`,
    '{"a":"\u007f\u2028\u2029\ufeff\ud83d\ude00"}',
    '{"__proto__":1,"constructor":2,"hasOwnProperty":3}',
    `{"a":"${'long '.repeat(50)}\\n${'long '.repeat(50)}"}`,
  ]
  for (const text of texts) test(JSON.stringify(text).slice(0, 80), () => assert.equal(outcome(text), 'message'))
})

describe('scanMessage refuses what is not JSON', () => {
  const texts = [
    '',
    ' ',
    '{',
    '}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,}',
    '{"a":1 "b":2}',
    '{"a":1]',
    '{"a":[1}',
    '{"a":[1,]}',
    '{"a":[,1]}',
    '{a:1}',
    "{'a':1}",
    '{1:1}',
    '{"a":1}x',
    '{"a":1}{}',
    '{"a":1}\0',
    '\ufeff{}',
    '\u00a0{}',
    '{"a":01}',
    '{"a":-}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":1e}',
    '{"a":1e+}',
    '{"a":0x1}',
    '{"a":NaN}',
    '{"a":Infinity}',
    '{"a":1_000}',
    '{"a":tru}',
    '{"a":truE}',
    '{"a":truex}',
    '{"a":undefined}',
    '{"a":"\n"}',
    '{"a":"\u0000"}',
    '{"a":"\u001f"}',
    '{"a\t":1}',
    String.raw`{"a":"\x41"}`,
    ...['g', 'G', '/', ':', '@', '`', '"'].map((digit) => String.raw`{"a":"\u12${digit}4"}`),
    String.raw`{"a":"\u123"}`,
    String.raw`{"a":"\'"}`,
    '{"a":"\\',
    '{"a":"\\u00',
    '{"a":"b',
    `{"a":"${'long '.repeat(50)}`,
    `{"a":"${'long '.repeat(50)}\n"}`,
    '{/**/}',
    '[1,2',
    'nul',
  ]
  for (const text of texts) test(JSON.stringify(text).slice(0, 80), () => assert.equal(outcome(text), 'syntax'))
})

describe('scanMessage refuses what two readers could understand differently', () => {
  const rows: readonly (readonly [string, 'message' | JsonFault['fault']])[] = [
    ['{"method":1,"method":2}', 'repeated-key'],
    [String.raw`{"method":1,"\u006dethod":2}`, 'repeated-key'],
    [String.raw`{"\u006D\u0065thod":1,"method":2}`, 'repeated-key'],
    ['{"a":[{"b":{"c":1,"c":1}}]}', 'repeated-key'],
    ['{"":1,"":1}', 'repeated-key'],
    ['{"__proto__":1,"__proto__":2}', 'repeated-key'],
    [String.raw`{"\ud800":1,"\uD800":2}`, 'repeated-key'],
    ['{"Method":1}', 'repeated-key'],
    [String.raw`{"\u004dethod":1}`, 'repeated-key'],
    ['{"method":1,"METHOD":1}', 'repeated-key'],
    ['{"paramſ":1}', 'repeated-key'],
    ['{"params":{"taſ\u212a":1}}', 'repeated-key'],
    ['{"params":{"Name":1}}', 'repeated-key'],
    ['{"params":{"_Meta":1}}', 'repeated-key'],
    ['{"params":{"_meta":{"IO.modelcontextprotocol/protocolVersion":1}}}', 'repeated-key'],
    ['{"result":{"IsError":true}}', 'repeated-key'],
    [String.raw`{"\u0070arams":{"Name":1}}`, 'repeated-key'],
    ['{"params":{"arguments":{"Name":1,"name":2,"NAME":3}}}', 'message'],
    ['{"params":{"_meta":{"x":{"Method":1}}}}', 'message'],
    ['{"result":{"content":[{"Type":1,"Name":2}],"_meta":{"Tools":1}}}', 'message'],
    ['{"params":[{"Name":1}]}', 'message'],
    ['{"x":{"Params":{"Name":1}}}', 'message'],
    ['{"methods":1,"met hod":2,"mεthod":3}', 'message'],
    ['{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}', 'message'],
    ['{"a":{"a":{"a":1}}}', 'message'],
    ['[]', 'not-object'],
    ['[{"id":1}]', 'not-object'],
    ['[{"Method":1}]', 'repeated-key'],
    ['"{}"', 'not-object'],
    ['null', 'not-object'],
    ['-1.5e3', 'not-object'],
  ]
  for (const [text, expected] of rows) test(`${JSON.stringify(text)} ${expected}`, () => assert.equal(outcome(text), expected))

  test('a key is found repeated among few and among many, whether first or last', () => {
    for (const count of [1, 2, 11, 12, 13, 14, 5000]) {
      const keys = Array.from({ length: count }, (_, i) => `"k${i}":{"k0":0}`)
      assert.equal(outcome(`{"x":{${keys.join(',')}}}`), 'message')
      for (const repeated of [0, count - 1]) assert.equal(outcome(`{"x":{${keys.join(',')},"k${repeated}":0}}`), 'repeated-key')
    }
  })
})

describe('scanMessage reads long strings', () => {
  const long = 'long '.repeat(20)
  const rows: readonly (readonly [string, string, ReturnType<typeof outcome>])[] = [
    ['with more escapes than fit a stretch', `{"a":"${String.raw`\n\"\u0041é`.repeat(3000)}"}`, 'message'],
    ['with a bad escape after many', `{"a":"${String.raw`\n`.repeat(3000)}\\x"}`, 'syntax'],
    ['with a control character after many', `{"a":"${String.raw`\n`.repeat(3000)}\u0001"}`, 'syntax'],
    ['that do not end after many', `{"a":"${String.raw`\n`.repeat(3000)}\\"`, 'syntax'],
    ['of millions of escapes', `{"a":"${String.raw`\n`.repeat(10_000_000)}"}`, 'message'],
    ['as keys, which repeat once their escapes are resolved', `{"${long}\\u0062":1,"${long}b":1}`, 'repeated-key'],
    ['as keys, which differ', `{"${long}\\u0062":1,"${long}\\\\u0062":1}`, 'message'],
  ]
  for (const [title, text, expected] of rows) test(title, () => assert.equal(outcome(text), expected))
})

describe('scanMessage keeps to its limits', () => {
  test('depth counts nested objects and arrays', () => {
    assert.equal(outcome('{"a":[{}]}', { depth: 3, tokens: 100 }), 'message')
    assert.equal(outcome('{"a":[{}]}', { depth: 2, tokens: 100 }), 'too-deep')
    assert.equal(outcome('{"a":[1],"b":[1],"c":[1]}', { depth: 2, tokens: 100 }), 'message')
  })
  test('tokens count keys and values', () => {
    assert.equal(outcome('{"a":[1,"x",null]}', { depth: 9, tokens: 6 }), 'message')
    assert.equal(outcome('{"a":[1,"x",null]}', { depth: 9, tokens: 5 }), 'too-many-tokens')
  })
  test('nesting far over the limit is a fault, and no overflow where the limit allows it', () => {
    const deep = 100_000
    for (const open of ['[', '{"a":']) assert.equal(outcome(open.repeat(deep), { depth: 64, tokens: 1e9 }), 'too-deep')
    assert.equal(outcome(`{"a":${'['.repeat(deep)}${']'.repeat(deep)}}`, { depth: deep + 1, tokens: 1e9 }), 'message')
  })
  test('what comes after the limit is not read', () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => `"${i}":0`).join(',')
    assert.equal(outcome(`{${keys}, not JSON`, { depth: 9, tokens: 1000 }), 'too-many-tokens')
  })
})

describe("a fault's text", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['{"a":1,"a":2}', /^repeated key "a" at offset 7$/],
    ['{"Method":2}', /"Method" at offset 1 .*"method"/],
    ['{"a":!}', /"!" at offset 5$/],
    ['{"a":"\u0007"}', /U\+0007 at offset 6$/],
    ['{"a":', /ends too early, at offset 5$/],
    ['{"a":[[]]}', /deeper than 2 at offset 6$/],
  ]
  for (const [text, expected] of rows) {
    test(JSON.stringify(text), () => assert.match(faultOf(scanMessage(text, { depth: 2, tokens: 99 })).text, expected))
  }
  test('holds no more of a key than its first characters', () => {
    const key = JSON.stringify('secret'.repeat(10_000))
    assert(faultOf(scanMessage(`{${key}:1,${key}:2}`, ample)).text.length < 150)
  })
})

describe('scanMessage finds the members of the envelope', () => {
  const text = String.raw`{ "jsonrpc":"2.0" ,"id" : 1.0,"\u0070arams":{"name":"x","_meta":{"progressToken":[1, {"a":"}"}]} ,"arguments":{"_meta":{"a":1}}},"result":{}}`
  const shown = (list: readonly Member[] | undefined) => list?.map((m) => [m.key, m.type, textOf(text, m)])
  test('with their keys, types and spans', () => {
    const { top, params, meta, result } = message(text)
    assert.deepEqual(
      top.map((m) => [m.key, m.type]),
      [
        ['jsonrpc', 'string'],
        ['id', 'number'],
        ['params', 'object'],
        ['result', 'object'],
      ],
    )
    assert.equal(text.slice(top[1]?.keyStart, top[1]?.end), '"id" : 1.0')
    assert.deepEqual(shown(params), [
      ['name', 'string', '"x"'],
      ['_meta', 'object', '{"progressToken":[1, {"a":"}"}]}'],
      ['arguments', 'object', '{"_meta":{"a":1}}'],
    ])
    assert.deepEqual(shown(meta), [['progressToken', 'array', '[1, {"a":"}"}]']])
    assert.deepEqual(shown(result), [])
  })
  test('and nothing where they are no objects', () => {
    const { params, meta, result } = message('{"params":[{"_meta":{}}],"result":true,"x":{"params":{}}}')
    assert.deepEqual([params, meta, result], [undefined, undefined, undefined])
  })
})

describe('scanBatch', () => {
  test("gives the array's elements", () => {
    const text = ' [ {"id":1} ,[2,[3]],"x", -4e0,true,null ] '
    const list = scanBatch(text, ample)
    assert(Array.isArray(list))
    assert.deepEqual(
      list.map((element) => [element.type, textOf(text, element)]),
      [
        ['object', '{"id":1}'],
        ['array', '[2,[3]]'],
        ['string', '"x"'],
        ['number', '-4e0'],
        ['true', 'true'],
        ['null', 'null'],
      ],
    )
    assert.deepEqual(scanBatch('[]', ample), [])
  })
  const rows: readonly (readonly [string, JsonFault['fault']])[] = [
    ['{}', 'not-array'],
    ['1', 'not-array'],
    ['[1', 'syntax'],
    ['[1] x', 'syntax'],
    ['[{"a":1,"a":2}]', 'repeated-key'],
    ['[{"Method":1}]', 'repeated-key'],
    ['[{"params":{"Name":1}}]', 'repeated-key'],
    [`${'['.repeat(1001)}${']'.repeat(1001)}`, 'too-deep'],
  ]
  for (const [text, fault] of rows) {
    test(`${text.slice(0, 40)} ${fault}`, () => assert.equal(faultOf(scanBatch(text, ample)).fault, fault))
  }
})

describe('scanMessage against JSON.parse', () => {
  test('accepts exactly the objects that it accepts, but for repeated and folded keys', () => {
    fc.assert(
      fc.property(objectText({ repeats: true }), (text) => assert.equal(outcome(text), expectedOutcome(text))),
      { numRuns: 500 },
    )
  })

  test('also after random damage', () => {
    const scraps = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\\',
      '\\u00',
      '0',
      '1',
      '-',
      '.',
      'e',
      'E+',
      ' ',
      '\n',
      '\u0001',
      'true',
      '"a":1',
      'é',
    )
    const damage = fc.array(fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), scrap: fc.option(scraps, { nil: '' }) }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(objectText({ repeats: true }), damage, (whole, edits) => {
        let text = whole
        for (const { at, cut, scrap } of edits) {
          const from = at % (text.length + 1)
          text = text.slice(0, from) + scrap + text.slice(from + cut)
        }
        const expected = expectedOutcome(text)
        // Where a text has several faults, the first met is named.
        if (expected === 'syntax' || expected === 'not-object') assert.notEqual(outcome(text), 'message')
        else assert.equal(outcome(text), expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('finds the same members, with the same values', () => {
    fc.assert(
      fc.property(objectText({ repeats: false }), (text) => {
        const read = scanMessage(text, ample)
        if (read.kind === 'fault') return
        const whole: unknown = JSON.parse(text)
        const params = own(whole, 'params')
        assertMembers(text, read.top, whole)
        assertMembers(text, read.params, params)
        assertMembers(text, read.meta, own(params, '_meta'))
        assertMembers(text, read.result, own(whole, 'result'))
      }),
      { numRuns: 500 },
    )
  })

  test('counts the same depth and tokens', () => {
    fc.assert(
      fc.property(objectText({ repeats: false }), (text) => {
        if (outcome(text) !== 'message') return
        const { depth, tokens } = measure(JSON.parse(text))
        assert.equal(outcome(text, { depth, tokens }), 'message')
        assert.equal(outcome(text, { depth: depth - 1, tokens }), 'too-deep')
        assert.equal(outcome(text, { depth, tokens: tokens - 1 }), 'too-many-tokens')
      }),
    )
  })
})

/** What scanMessage has to say, from JSON.parse, a count of the keys written, and RegExp's case folding. */
function expectedOutcome(text: string): ReturnType<typeof outcome> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'syntax'
  }
  const keysWritten = text.match(/"(?:[^"\\]|\\.)*"[ \t\r\n]*:/g)?.length ?? 0
  if (keysWritten !== countKeys(value)) return 'repeated-key'
  if (!isObject(value)) return 'not-object'
  const params = own(value, 'params')
  const envelope = [value, params, own(params, '_meta'), own(value, 'result')].filter(isObject)
  return envelope.flatMap(Object.keys).some(isLikeKnown) ? 'repeated-key' : 'message'
}

const known =
  `jsonrpc id method params result error name arguments _meta uri cursor requestState inputResponses protocolVersion capabilities
  clientInfo notifications requestId reason level ref argument task progressToken content structuredContent isError resultType tools nextCursor
  io.modelcontextprotocol/protocolVersion io.modelcontextprotocol/clientInfo io.modelcontextprotocol/clientCapabilities
  io.modelcontextprotocol/logLevel io.modelcontextprotocol/subscriptionId`.split(/\s+/)

function isLikeKnown(key: string): boolean {
  return !known.includes(key) && known.some((name) => new RegExp(`^${name.replaceAll('.', '\\.')}$`, 'iu').test(key))
}

test('each known key of the envelope is accepted as it is, and in no other case', () => {
  for (const key of known) {
    assert.equal(outcome(`{"${key}":1}`), 'message', key)
    assert.equal(outcome(`{"${key.toUpperCase()}":1}`), 'repeated-key', key)
  }
})

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const keys = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce((sum: number, inner) => sum + countKeys(inner), keys)
}

function measure(value: unknown): { depth: number; tokens: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, tokens: 1 }
  const inner = Object.values(value).map(measure)
  const keys = Array.isArray(value) ? 0 : inner.length
  return { depth: 1 + Math.max(0, ...inner.map((one) => one.depth)), tokens: 1 + keys + inner.reduce((sum, one) => sum + one.tokens, 0) }
}

function assertMembers(text: string, list: readonly Member[] | undefined, value: unknown): void {
  assert.equal(list !== undefined, isObject(value))
  if (list === undefined || !isObject(value)) return
  assert.deepEqual(list.map((m) => m.key).sort(), Object.keys(value).sort())
  for (const m of list) {
    assert.deepEqual(JSON.parse(textOf(text, m)), value[m.key])
    assert.deepEqual(Object.keys(JSON.parse(`{${text.slice(m.keyStart, m.end)}}`)), [m.key])
    assert.equal(m.type, typeName(value[m.key]))
  }
}

function typeName(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'array' : typeof value
}
