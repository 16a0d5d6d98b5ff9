import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Caller, Head, Item } from '../../mcp/mcp.ts'
import type { Asking } from '../seam.ts'
import { createJudge } from './authorize.ts'
import type { AuthorizeLevel } from './settings.ts'

const head: Head = { method: 'POST', path: '/mcp', query: '', host: '', listener: '', remote: '10.0.0.1', header: () => undefined }

function asking(claims: Readonly<Record<string, unknown>>): Asking {
  const caller: Caller = {
    kind: 'jwt',
    id: 'c',
    subject: undefined,
    issuer: undefined,
    actors: [],
    claims: new Map(Object.entries(claims)),
    expiresAtMs: Number.POSITIVE_INFINITY,
  }
  return { caller, head }
}

const own = { tools: 'tools/call', prompts: 'prompts/get', resources: 'resources/read' } as const
const servers = ['s', 't'] as const
const item = fc.record({
  kind: fc.constantFrom('tools' as const, 'prompts' as const, 'resources' as const),
  backend: fc.constant('main'),
  server: fc.constantFrom(...servers),
  name: fc.constantFrom('a', 'b'),
  annotations: fc.constantFrom(new Map(), new Map([['safe', true]]), new Map([['safe', 'x']])),
}) satisfies fc.Arbitrary<Item>
const claims = fc.constantFrom({}, { x: true }, { x: false, y: 1n }, { x: 'text', y: 2n })

const plainLiterals = [
  'true',
  'false',
  'jwt.x',
  'jwt.y == 1',
  'has(jwt.x)',
  'has(mcp.tool)',
  'has(mcp.prompt)',
  'mcp.tool.name == "a"',
  'mcp.prompt.name == "a"',
  'mcp.resource.uri != "a"',
  'mcp.tool.server == "s"',
  'mcp.resource.target != "s"',
  'mcp.tool.annotations.safe',
  'mcp.method == "tools/call"',
  'request.path == "/mcp"',
  'default(mcp.tool.name, mcp.prompt.name) == "a"',
] as const
const argumentLiterals = [
  'mcp.tool.arguments.n == 1',
  'has(mcp.tool.arguments.n)',
  'mcp.tool.arguments.flag',
  'size(mcp.tool.arguments) > 1',
] as const
const args = fc.constantFrom(undefined, '{}', '{"n": 1}', '{"n": "x", "flag": true}', '{"flag": false}', '[]', '{"n": 1, "n": 1}')

function ruleOf(literals: readonly string[]): fc.Arbitrary<string> {
  const { rule } = fc.letrec<{ rule: string }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom(...literals),
      tie('rule').map((of) => `!(${of})`),
      fc.tuple(tie('rule'), fc.constantFrom('&&', '||'), tie('rule')).map(([left, op, right]) => `(${left}) ${op} (${right})`),
      fc.tuple(tie('rule'), tie('rule'), tie('rule')).map(([asked, yes, no]) => `(${asked}) ? (${yes}) : (${no})`),
    ),
  }))
  return rule
}

function levelOf(rule: fc.Arbitrary<string>): fc.Arbitrary<AuthorizeLevel> {
  const rules = fc.array(rule, { maxLength: 2 })
  return fc.record({
    place: fc.constant('policies.authorize'),
    backend: fc.constantFrom(undefined, 'main'),
    server: fc.constant(undefined),
    allow: rules,
    deny: rules,
    require: rules,
  })
}

const plain = ruleOf(plainLiterals)
const any = ruleOf([...plainLiterals, ...argumentLiterals])
const levels = (rule: fc.Arbitrary<string>) => fc.array(levelOf(rule), { minLength: 1, maxLength: 2 })
const runs = { numRuns: 1000 }

function mayCall(settings: readonly AuthorizeLevel[], who: Asking, what: Item, given: string | undefined): boolean {
  return createJudge(settings).mayCall(who, what, own[what.kind], given).isAllowed
}

test('another deny or require never shows or allows more', () => {
  fc.assert(
    fc.property(
      levels(any),
      any,
      fc.constantFrom('deny' as const, 'require' as const),
      item,
      claims,
      args,
      (before, rule, effect, what, of, given) => {
        const who = asking(of)
        const after = before.map((level, index) => (index === 0 ? { ...level, [effect]: [...level[effect], rule] } : level))
        if (createJudge(after).sees(who, what).isAllowed) assert.ok(createJudge(before).sees(who, what).isAllowed, 'sees')
        if (mayCall(after, who, what, given)) assert.ok(mayCall(before, who, what, given), 'may call')
      },
    ),
    runs,
  )
})

test('another allow beside others never shows or allows less', () => {
  fc.assert(
    fc.property(levels(any), any, any, item, claims, args, (settings, first, rule, what, of, given) => {
      const who = asking(of)
      const before = settings.map((level, index) => (index === 0 ? { ...level, allow: [...level.allow, first] } : level))
      const after = before.map((level, index) => (index === 0 ? { ...level, allow: [...level.allow, rule] } : level))
      if (createJudge(before).sees(who, what).isAllowed) assert.ok(createJudge(after).sees(who, what).isAllowed, 'sees')
      if (mayCall(before, who, what, given)) assert.ok(mayCall(after, who, what, given), 'may call')
    }),
    runs,
  )
})

test('without rules over arguments what is seen may be called, and nothing else', () => {
  fc.assert(
    fc.property(levels(plain), item, claims, args, (settings, what, of, given) => {
      const who = asking(of)
      const judge = createJudge(settings)
      const seen = judge.sees(who, what)
      assert.equal(seen.mayBeRefused, false)
      assert.equal(judge.mayCall(who, what, own[what.kind], given).isAllowed, seen.isAllowed)
    }),
    runs,
  )
})

test('with them what may be called is seen, and what is refused was said to be so', () => {
  let refused = 0
  fc.assert(
    fc.property(levels(any), item, claims, args, (settings, what, of, given) => {
      const who = asking(of)
      const seen = createJudge(settings).sees(who, what)
      const isCallable = mayCall(settings, who, what, given)
      if (isCallable) assert.ok(seen.isAllowed)
      if (seen.isAllowed && !isCallable) {
        refused++
        assert.ok(seen.mayBeRefused)
      }
    }),
    { numRuns: 3000 },
  )
  assert.ok(refused > 0)
})

test('what is seen is on a server that is reached', () => {
  fc.assert(
    fc.property(levels(any), item, claims, (settings, what, of) => {
      const who = asking(of)
      const judge = createJudge(settings)
      if (judge.sees(who, what).isAllowed) assert.ok(judge.reaches(who, what.backend, what.server, what.kind))
    }),
    runs,
  )
})

test('what is remembered is what would be found again, and what is explained is what decides', () => {
  fc.assert(
    fc.property(levels(any), fc.array(item, { minLength: 1, maxLength: 3 }), claims, args, (settings, items, of, given) => {
      const who = asking(of)
      const judge = createJudge(settings)
      for (const what of [...items, ...items]) {
        const called = judge.mayCall(who, what, own[what.kind], given)
        assert.deepEqual(called, createJudge(settings).mayCall(who, what, own[what.kind], given))
        const explained = judge.explain(who, what, given ?? '{}')
        assert.equal(
          explained.every((level) => level.verdict.isAllowed),
          called.isAllowed,
        )
      }
    }),
    runs,
  )
})
