import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { objectText } from './arbitrary-json-for-test.ts'
import { insertMember, rebuildObject, removeMember, splice } from './splice.ts'
import { member, members } from './split.ts'

const whole = (text: string) => members(text, 0, text.length)

describe('splice', () => {
  test('replaces, removes and inserts, and leaves the rest', () => {
    const edits = [
      { start: 0, end: 0, text: '<' },
      { start: 1, end: 3, text: '' },
      { start: 3, end: 4, text: 'DDD' },
      { start: 6, end: 6, text: '>' },
    ]
    assert.equal(splice('abcdef', edits), '<aDDDef>')
    assert.equal(splice('abc', []), 'abc')
  })
  test('leaves numbers as they were written', () => {
    const numbers = '[1.0,1e400,12345678901234567890,-0,0.10,1E+2]'
    const text = `{"params":{"name":"math_add","arguments":${numbers}},"id":1.0}`
    const params = members(text, 10, text.lastIndexOf('}', text.length - 2) + 1)
    const name = member(params, 'name')
    assert(name !== undefined)
    assert.equal(
      splice(text, [{ start: name.start, end: name.end, text: '"add"' }]),
      `{"params":{"name":"add","arguments":${numbers}},"id":1.0}`,
    )
  })
  const bad: readonly (readonly [string, readonly (readonly [number, number])[]])[] = [
    [
      'that overlap',
      [
        [0, 2],
        [1, 3],
      ],
    ],
    [
      'that are not sorted',
      [
        [2, 3],
        [0, 1],
      ],
    ],
    ['that end before they start', [[2, 1]]],
    ['that end after the text', [[2, 4]]],
  ]
  for (const [title, spans] of bad) {
    test(`throws on edits ${title}`, () => {
      const edits = spans.map(([start, end]) => ({ start, end, text: '' }))
      assert.throws(() => splice('abc', edits), RangeError)
    })
  }
})

describe('removeMember removes one member and one comma', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['{"a":1}', 'a', '{}'],
    ['{ "a" : 1 }', 'a', '{  }'],
    ['{"a":1,"b":2,"c":3}', 'a', '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', 'b', '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', 'c', '{"a":1,"b":2}'],
    ['{ "a":1 ,\n "b":2 ,\n "c":3 }', 'a', '{ "b":2 ,\n "c":3 }'],
    ['{ "a":1 ,\n "b":2 ,\n "c":3 }', 'c', '{ "a":1 ,\n "b":2 }'],
    ['{"__proto__":1,"b":",}"}', '__proto__', '{"b":",}"}'],
  ]
  for (const [text, key, expected] of rows) {
    test(`${JSON.stringify(text)} without ${key}`, () => {
      const list = whole(text)
      const m = member(list, key)
      assert(m !== undefined)
      assert.equal(splice(text, [removeMember(text, list, m)]), expected)
    })
  }
})

describe('insertMember', () => {
  const rows: readonly (readonly [string, number, boolean, string])[] = [
    ['{}', 0, true, '{"x":1}'],
    ['{ }', 0, true, '{"x":1 }'],
    ['{"a":1}', 0, false, '{"x":1,"a":1}'],
    ['[{"a":1}]', 1, false, '[{"x":1,"a":1}]'],
  ]
  for (const [text, start, isEmpty, expected] of rows) {
    test(`${text} becomes ${expected}`, () => assert.equal(splice(text, [insertMember(text, start, isEmpty, '"x":1')]), expected))
  }
})

describe('rebuildObject', () => {
  const text = '{ "a" : 1.0,"b":[1, 2] , "__proto__":1e400}'
  const rows: readonly (readonly [readonly string[], readonly string[], string])[] = [
    [['a', 'b', '__proto__'], [], '{"a" : 1.0,"b":[1, 2],"__proto__":1e400}'],
    [['a', '__proto__'], ['"x":1', '"y":2'], '{"a" : 1.0,"__proto__":1e400,"x":1,"y":2}'],
    [[], ['"x":1'], '{"x":1}'],
    [[], [], '{}'],
  ]
  for (const [kept, extra, expected] of rows) {
    test(`keeping ${kept.join(', ') || 'nothing'} and adding ${extra.length}`, () => {
      assert.equal(
        rebuildObject(text, whole(text), (m) => kept.includes(m.key), extra),
        expected,
      )
    })
  }
})

describe('an edited text means what the edited value is', () => {
  const without = (text: string, isKept: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(JSON.parse(text)).filter(([key]) => isKept(key)))

  test('for removeMember, each member in turn', () => {
    fc.assert(
      fc.property(objectText({ repeats: false }), (text) => {
        const list = whole(text)
        for (const m of list) {
          const edited = splice(text, [removeMember(text, list, m)])
          assert.deepEqual(
            JSON.parse(edited),
            without(text, (key) => key !== m.key),
          )
        }
      }),
    )
  })
  test('for insertMember', () => {
    fc.assert(
      fc.property(objectText({ repeats: false }), (text) => {
        const start = text.indexOf('{')
        const edited = splice(text, [insertMember(text, start, whole(text).length === 0, '"new key":[1]')])
        assert.deepEqual(JSON.parse(edited), { ...JSON.parse(edited), ...without(text, () => true), 'new key': [1] })
        assert.deepEqual(
          without(edited, (key) => key !== 'new key'),
          without(text, () => true),
        )
      }),
    )
  })
  test('for rebuildObject, any selection', () => {
    fc.assert(
      fc.property(objectText({ repeats: false }), fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (text, mask) => {
        const list = whole(text)
        const kept = new Set(list.filter((_, i) => mask[i]).map((m) => m.key))
        const edited = rebuildObject(text, list, (m) => kept.has(m.key), ['"new key":[1]'])
        assert.deepEqual(
          JSON.parse(edited),
          Object.fromEntries([...Object.entries(without(text, (key) => kept.has(key))), ['new key', [1]]]),
        )
      }),
    )
  })
})
