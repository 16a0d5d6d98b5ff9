import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { uriMatcher } from './uri-template.ts'

const rows: readonly (readonly [template: string, matching: readonly string[], other: readonly string[]])[] = [
  ['file:///{name}', ['file:///a', 'file:///a%2Fb', 'file:///', 'file:///a@b'], ['file:///a/b', 'file:///a?x', 'file://a', 'xfile:///a']],
  ['file:///{name}.md', ['file:///a.md', 'file:///a.md.md', 'file:///.md'], ['file:///a.mdx', 'file:///a/b.md', 'file:///.m']],
  ['{scheme}://{host}/x', ['a://b/x', '://' + '/x'], ['a://b/y', 'a:/b/x']],
  ['x:{+path}/{name}', ['x:a/b', 'x:a/b/c', 'x:a/b/', 'x:/'], ['x:ab', 'y:a/b', 'x:a/b?c']],
  ['x:a{a}b{b}a', ['x:aba', 'x:abba', 'x:aababa'], ['x:aa', 'x:ab', 'x:aa/ba']],
  ['x:{a,b}', ['x:1,2', 'x:1'], ['x:1/2']],
  ['x:{path*}', ['x:1/2', 'x:1,2'], ['x:1?2']],
  ['x:{a:3}', ['x:abc', 'x:abcd'], ['x:a/c']],
  ['x{#part}', ['x', 'x#', 'x#a/b?c'], ['xa']],
  ['x{.ext}', ['x', 'x.md'], ['xmd', 'x.a/b']],
  ['x{/a}', ['x', 'x/a', 'x/'], ['xa', 'x/a/b']],
  ['x{/a,b}y', ['xy', 'x/1y', 'x/1/2y'], ['x1y']],
  ['x{/a}{/b}', ['x', 'x/1', 'x/1/2'], ['x/1/2/3']],
  ['x{;a,b}', ['x', 'x;a=1;b'], ['xa', 'x;a/b']],
  ['x{?q,r}', ['x', 'x?q=1&r=a/b'], ['xq', 'x?q#f']],
  ['x?f=1{&q}', ['x?f=1', 'x?f=1&q=2'], ['x?f=12']],
  ['x:{a}{b}', ['x:', 'x:ab'], ['x:a/b']],
]

for (const [template, matching, other] of rows) {
  test(`${template} matches what it may have become, and nothing else`, () => {
    const matcher = uriMatcher(template)
    assert.ok(matcher)
    const isMatch = (uri: string) => matcher.mayMatch(uri) && matcher.matches(uri)
    for (const uri of matching) assert.ok(isMatch(uri), uri)
    for (const uri of other) assert.ok(!isMatch(uri), uri)
  })
}

test('what is no template, or too much of one, matches nothing', () => {
  for (const text of ['x:1', '', 'x:{', 'x:{a', 'x:}', 'x:{}', 'x:{+}', 'x:{a{b}}', 'x:{=a}}', `x:{a}${'b'.repeat(512)}`, '{a}-'.repeat(9)])
    assert.equal(uriMatcher(text), undefined, text)
})

test('every expansion of a template matches it', () => {
  const literal = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '-'), maxLength: 4 })
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '-', '%41'), maxLength: 5 })
  const expression = fc.constantFrom('', '+', '#', '.', '/', ';', '?', '&')
  fc.assert(
    fc.property(literal, fc.array(fc.tuple(expression, value, literal), { minLength: 1, maxLength: 6 }), (head, parts) => {
      const template = head + parts.map(([operator, , tail]) => `{${operator}v}${tail}`).join('')
      const expand = (operator: string, text: string) =>
        operator === '+' ? text : `${operator}${/[;?&]/.test(operator) ? 'v=' : ''}${text}`
      const uri = head + parts.map(([operator, text, tail]) => (text === '' ? '' : expand(operator, text)) + tail).join('')
      assert.ok(uriMatcher(template)?.mayMatch(uri) && uriMatcher(template)?.matches(uri), `${template} ${uri}`)
    }),
    { numRuns: 500 },
  )
})

test('a simple template matches what its regular expression does', () => {
  const literal = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 1 })
  const uri = fc.string({ unit: fc.constantFrom('a', 'b', '/', '?'), maxLength: 8 })
  let matched = 0
  fc.assert(
    fc.property(
      literal,
      fc.array(fc.tuple(fc.constantFrom('{x}', '{+x}'), literal), { minLength: 1, maxLength: 4 }),
      uri,
      (head, parts, text) => {
        const source = head + parts.map(([part, tail]) => (part === '{x}' ? '[^/?#]*' : '[^]*') + tail).join('')
        const matcher = uriMatcher(head + parts.flat().join(''))
        const isMatch = matcher?.mayMatch(text) === true && matcher.matches(text)
        if (isMatch) matched++
        assert.equal(isMatch, new RegExp(`^${source}$`).test(text))
      },
    ),
    { numRuns: 3000 },
  )
  assert.ok(matched > 100)
})
