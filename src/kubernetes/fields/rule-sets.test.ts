import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bothRules, expressionErrors, joinRules, noRules, readRules } from './rule-sets.ts'

const isPost = 'request.method == "POST"'
const isMine = 'jwt.sub == "a" // me'
const isAdd = 'mcp.tool.name == "add"'

describe('rules of several policies', () => {
  it('are joined, each once', () => {
    const joined = joinRules([{ ...noRules, allow: [isAdd, isPost] }, undefined, { allow: [isAdd], deny: [isMine], require: [isPost] }])
    assert.deepEqual(joined, { allow: [isAdd, isPost], deny: [isMine], require: [isPost] })
  })

  const one = { ...noRules, allow: [isPost] }
  const two = { ...noRules, allow: [isMine, isPost] }
  const items = { ...noRules, allow: [isAdd] }

  it('that must both let through need one of each: those of requests become what is needed', () => {
    assert.deepEqual(bothRules(one, noRules), one)
    assert.deepEqual(bothRules(noRules, items), items)
    assert.deepEqual(bothRules(one, items), { allow: [isAdd], deny: [], require: [isPost] })
    const { require } = bothRules(two, items)
    assert.deepEqual(require, [`(\n${isMine}\n) || (\n${isPost}\n)`])
    assert.deepEqual(expressionErrors(require, 'request'), [], 'a comment ends with its line')
  })

  it('deny and need whatever either set does', () => {
    const both = bothRules({ allow: [], deny: ['false'], require: [isPost] }, { allow: [isAdd], deny: [isAdd], require: [isPost] })
    assert.deepEqual(both, { allow: [isAdd], deny: ['false', isAdd], require: [isPost] })
  })
})

describe('an authorization', () => {
  const of = (matchExpressions: unknown, action?: string) => ({ ...(action === undefined ? {} : { action }), policy: { matchExpressions } })

  const good: readonly (readonly [name: string, written: unknown, member: 'allow' | 'deny' | 'require'])[] = [
    ['allows without an action', of([isPost]), 'allow'],
    ['allows', of([isPost], 'Allow'), 'allow'],
    ['denies', of([isPost], 'Deny'), 'deny'],
    ['requires', of([isPost], 'Require'), 'require'],
  ]
  for (const [name, written, member] of good)
    it(name, () => assert.deepEqual(readRules(written, 'request', 'spec.x'), { rules: { ...noRules, [member]: [isPost] }, faults: [] }))

  it('that is not there says nothing', () => {
    for (const written of [undefined, null]) assert.deepEqual(readRules(written, 'item', 'spec.x'), { rules: undefined, faults: [] })
  })

  const bad: readonly (readonly [name: string, written: unknown, scope: 'request' | 'item', message: RegExp])[] = [
    ['a text', 'text', 'item', /^spec\.x is not an object/],
    ['no policy', {}, 'item', /matchExpressions lists nothing/],
    ['no expression', of([]), 'item', /matchExpressions lists nothing/],
    ['a number', of([7]), 'item', /not a list of texts/],
    ['an empty text', of(['']), 'item', /matchExpressions\[0\]/],
    ['another action', of([isPost], 'Audit'), 'item', /action is not known: write one of Allow, Deny, Require/],
    ['an action that objects have', of([isPost], 'constructor'), 'item', /action is not known/],
    ['a member of another day', { ...of([isPost]), mode: 1 }, 'item', /spec\.x\.mode is not known/],
    ['no CEL', of([isPost, 'a {{ b']), 'item', /matchExpressions\[1\]: .*is not a CEL expression/],
    ['no truth', of(['"text"']), 'item', /matchExpressions\[0\]/],
    ['a variable that is not there', of(['llm.model == "x"']), 'item', /matchExpressions\[0\]: .*llm/],
    ['a tool, where a request knows none', of([isAdd]), 'request', /matchExpressions\[0\]: .*mcp/],
    ['too many', of(Array.from({ length: 257 }, () => 'true')), 'item', /more than 256/],
    ['too long', of([`"${'a'.repeat(16_384)}" == ""`]), 'item', /longer than 16384/],
    ['too much', of(Array.from({ length: 20 }, (_, index) => `"${'a'.repeat(8000)}" == "${index}"`)), 'item', /more than 128 KiB/],
  ]
  for (const [name, written, scope, message] of bad)
    it(`with ${name} closes`, () => {
      const { rules, faults } = readRules(written, scope, 'spec.x')
      assert.equal(rules, undefined)
      assert.match(faults[0]?.message ?? '', message)
      assert.ok(faults.every(({ closes }) => closes))
    })
})
