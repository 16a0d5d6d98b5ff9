import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ItemKind, specialise, withoutArguments, withServerOnly } from './specialise.ts'
import { printExpression, readExpression } from './syntax.ts'

function standing(text: string, kind: ItemKind, isUnknown: typeof withoutArguments = () => false, assumed = false): string {
  const expr = readExpression(text)
  assert.ok(expr.kind !== 'fault', text)
  return printExpression(specialise(expr, { kind, isUnknown, assumed }))
}

/** A rule, and how it stands for a tool and for a prompt. */
const kinds: readonly (readonly [text: string, tool: string, prompt: string])[] = [
  ['mcp.tool.name == "a"', 'mcp.tool.name == "a"', 'false'],
  ['mcp.tool.name != "a"', 'mcp.tool.name != "a"', 'false'],
  ['!(mcp.tool.name == "a")', '!(mcp.tool.name == "a")', 'false'],
  ['!!(mcp.tool.name == "a")', 'mcp.tool.name == "a"', 'false'],
  ['mcp.tool.name == "a" || mcp.prompt.name == "b"', 'mcp.tool.name == "a"', 'mcp.prompt.name == "b"'],
  ['!(mcp.tool.name == "a" || mcp.prompt.name == "b")', 'false', 'false'],
  ['!(mcp.tool.name == "a" && mcp.prompt.name == "b")', '!(mcp.tool.name == "a")', '!(mcp.prompt.name == "b")'],
  ['jwt.a == 1 && mcp.tool.name == "a"', '(jwt.a == 1) && (mcp.tool.name == "a")', 'false'],
  ['jwt.a == 1 || mcp.tool.name == "a"', '(jwt.a == 1) || (mcp.tool.name == "a")', 'jwt.a == 1'],
  ['has(mcp.tool) && jwt.a == 1', 'has(mcp.tool) && (jwt.a == 1)', 'has(mcp.tool) && (jwt.a == 1)'],
  ['!has(mcp.tool) || mcp.tool.name == "a"', '(!has(mcp.tool)) || (mcp.tool.name == "a")', '!has(mcp.tool)'],
  ['has(mcp.tool.name)', 'has(mcp.tool.name)', 'false'],
  ['mcp.?tool.name.orValue("") == "a"', 'mcp.?tool.name.orValue("") == "a"', 'mcp.?tool.name.orValue("") == "a"'],
  ['["a"].exists(x, x == mcp.tool.name)', '["a"].exists(x, x == mcp.tool.name)', 'false'],
  [
    'has(mcp.tool) ? mcp.tool.name == "a" : jwt.b',
    'has(mcp.tool) ? (mcp.tool.name == "a") : dyn(jwt.b)',
    'has(mcp.tool) ? false : dyn(jwt.b)',
  ],
  ['mcp.tool.name == "a" ? jwt.b == 1 : jwt.c == 1', '(mcp.tool.name == "a") ? (jwt.b == 1) : (jwt.c == 1)', 'false'],
  ['default(mcp.tool.name, mcp.prompt.name) == "a"', 'dyn(mcp.tool.name) == "a"', 'dyn(mcp.prompt.name) == "a"'],
  ['default(mcp.tool.annotations.readOnlyHint, false)', 'default(mcp.tool.annotations.readOnlyHint, false)', 'false'],
]

test('a rule as it stands for each kind: what speaks of another kind is false, negated or not', () => {
  for (const [text, tool, prompt] of kinds) {
    assert.equal(standing(text, 'tools'), tool, text)
    assert.equal(standing(text, 'prompts'), prompt, text)
  }
})

/** A rule, and its lower and upper bound for a tool whose arguments are not known. */
const unknown: readonly (readonly [text: string, least: string, most: string])[] = [
  ['mcp.tool.arguments.a == 1', 'false', 'true'],
  ['!(mcp.tool.arguments.a == 1)', 'false', 'true'],
  ['has(mcp.tool.arguments.a)', 'false', 'true'],
  ['mcp["tool"]["arguments"].a == 1', 'false', 'true'],
  ['mcp.?tool.?arguments.hasValue()', 'false', 'true'],
  ['jwt.a == 1 && !(mcp.tool.arguments.a == 1)', 'false', 'jwt.a == 1'],
  ['jwt.a == 1 || mcp.tool.arguments.a == 1', 'jwt.a == 1', 'true'],
  ['["a"].exists(x, x in mcp.tool.arguments)', 'false', 'true'],
  ['mcp.tool.arguments.a ? jwt.b == 1 : jwt.c == 1', 'false', '(jwt.b == 1) || (jwt.c == 1)'],
  ['mcp.prompt.name == "a" && mcp.tool.arguments.a == 1', 'false', 'false'],
  ['mcp.tool.name == "a"', 'mcp.tool.name == "a"', 'mcp.tool.name == "a"'],
]

test('what speaks of arguments counts as assumed, and so does its negation', () => {
  for (const [text, least, most] of unknown) {
    assert.equal(standing(text, 'tools', withoutArguments, false), least, text)
    assert.equal(standing(text, 'tools', withoutArguments, true), most, text)
  }
})

/** A rule, and its upper bound where what may fail counts as true. */
const failing: readonly (readonly [text: string, most: string])[] = [
  ['mcp.tool.arguments.a ? jwt.b == 1 : jwt.c == 1', 'true'],
  ['!(jwt.d == 1 && mcp.tool.arguments.a ? jwt.b == 1 : jwt.c == 1)', 'true'],
  ['mcp.tool.arguments.a || true ? jwt.b == 1 : jwt.c == 1', 'jwt.b == 1'],
  ['jwt.d == 1 ? jwt.b == 1 : jwt.c == 1', '(jwt.d == 1) ? (jwt.b == 1) : (jwt.c == 1)'],
  ['mcp.prompt.name == "a" ? jwt.b == 1 : jwt.c == 1', 'false'],
]

test('a question about arguments may fail, which to a deny is as if it held', () => {
  for (const [text, most] of failing) {
    const expr = readExpression(text)
    assert.ok(expr.kind !== 'fault', text)
    const view = { kind: 'tools', isUnknown: withoutArguments, assumed: true, isFailureTrue: true } as const
    assert.equal(printExpression(specialise(expr, view)), most, text)
  }
})

test('of a server its name is known, of its items the kind', () => {
  const stands = (text: string) => standing(text, 'tools', withServerOnly, true)
  assert.equal(stands('mcp.tool.server == "git" && mcp.tool.name == "a"'), 'mcp.tool.server == "git"')
  assert.equal(stands('mcp.tool.target == "git" && mcp.tool.annotations.x == 1'), 'mcp.tool.target == "git"')
  assert.equal(stands('has(mcp.tool) && mcp.method == "tools/call"'), 'has(mcp.tool) && (mcp.method == "tools/call")')
  assert.equal(stands('mcp.resource.uri == "x"'), 'false')
})
