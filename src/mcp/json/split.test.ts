import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { objectText } from './arbitrary-json-for-test.ts'
import { elements, member, members, stringOf, textOf } from './split.ts'

describe('members and elements', () => {
  test('split an object within a text', () => {
    const text = String.raw`[0, { "a\"}" : "}\\" , "b":[{"b":1},"]"],"__proto__":{} } ]`
    const list = members(text, 4, text.lastIndexOf('}') + 1)
    assert.deepEqual(
      list.map((m) => [m.key, m.type, textOf(text, m), text.slice(m.keyStart, m.start)]),
      [
        ['a"}', 'string', String.raw`"}\\"`, String.raw`"a\"}" : `],
        ['b', 'array', '[{"b":1},"]"]', '"b":'],
        ['__proto__', 'object', '{}', '"__proto__":'],
      ],
    )
  })
  test('split an array within a text', () => {
    const text = '{"x": [ 1.0 ,"a,b",[[]] , {"c":[,]} ,true,null] }'
    const list = elements(text, 6, text.lastIndexOf(']') + 1)
    assert.deepEqual(
      list.map((element) => [element.type, textOf(text, element)]),
      [
        ['number', '1.0'],
        ['string', '"a,b"'],
        ['array', '[[]]'],
        ['object', '{"c":[,]}'],
        ['true', 'true'],
        ['null', 'null'],
      ],
    )
  })
  test('tell a backslash from what is escaped by one', () => {
    const text = String.raw`[{"a":1,"\\":2},{"a":1,"\u0062":2},{"a":1,"\n":2}]`
    const keys = elements(text, 0, text.length).map((element) => members(text, element.start, element.end).map((m) => m.key))
    assert.deepEqual(keys, [
      ['a', '\\'],
      ['a', 'b'],
      ['a', '\n'],
    ])
  })
  test('find nothing in what is empty', () => {
    assert.deepEqual(members('{ }', 0, 3), [])
    assert.deepEqual(elements('[\n]', 0, 3), [])
  })
  test('split what is nested deeply, without recursion', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    assert.equal(members(`{"a":${deep}}`, 0, deep.length + 6)[0]?.end, deep.length + 5)
  })
  test('at every level give the values that JSON.parse gives', () => {
    const assertSame = (text: string, start: number, end: number, value: unknown) => {
      assert.deepEqual(JSON.parse(text.slice(start, end)), value)
      if (Array.isArray(value)) {
        const list = elements(text, start, end)
        assert.equal(list.length, value.length)
        for (const [i, element] of list.entries()) assertSame(text, element.start, element.end, value[i])
      } else if (typeof value === 'object' && value !== null) {
        const list = members(text, start, end)
        assert.deepEqual(list.map((m) => m.key).sort(), Object.keys(value).sort())
        const values = new Map(Object.entries(value))
        for (const m of list) {
          assert.deepEqual(Object.keys(JSON.parse(`{${text.slice(m.keyStart, m.end)}}`)), [m.key])
          assertSame(text, m.start, m.end, values.get(m.key))
        }
      }
    }
    fc.assert(
      fc.property(objectText({ repeats: false }), (text) => assertSame(text, 0, text.length, JSON.parse(text))),
      { numRuns: 300 },
    )
  })
})

describe('member', () => {
  test('finds by the key as it is after its escapes', () => {
    const text = String.raw`{"\u0061":1,"__proto__":2}`
    const list = members(text, 0, text.length)
    assert.equal(member(list, 'a')?.start, 10)
    assert.equal(member(list, '__proto__')?.start, 24)
    assert.equal(member(list, 'toString'), undefined)
  })
})

describe('stringOf', () => {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['""', ''],
    ['"plain é"', 'plain é'],
    [String.raw`"\"\\\n\u00e9\ud83d\ude00"`, '"\\\né😀'],
    [String.raw`"\ud800"`, '\ud800'],
    ['1', undefined],
    ['null', undefined],
    ['["a"]', undefined],
  ]
  for (const [value, expected] of rows) {
    test(value, () => {
      const text = `{"a":${value},"b":"\\n"}`
      const [first] = members(text, 0, text.length)
      assert(first !== undefined)
      assert.equal(stringOf(text, first), expected)
    })
  }
})
