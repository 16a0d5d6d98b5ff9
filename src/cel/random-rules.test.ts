import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Caller, type Head, readJson } from '../mcp/mcp.ts'
import { compileRule, type Effect, expressionFault, factsOf, type ItemFacts, Mcp, Prompt, Resource, Tool, type Truth } from './cel.ts'

function json(text: string): ReadonlyMap<string, unknown> {
  const read = readJson(text, { depth: 64, tokens: 100_000 })
  assert.ok(read.kind === 'value' && read.value instanceof Map)
  return read.value
}

const head: Head = { method: 'POST', path: '/mcp', query: '', host: 'h', listener: 'l', remote: '127.0.0.1', header: () => undefined }
const caller: Caller = {
  kind: 'jwt',
  id: 'c',
  subject: undefined,
  issuer: undefined,
  actors: [],
  claims: json('{"sub": "a", "l": [1, 2], "m": {"x": 1}, "b": true}'),
  expiresAtMs: Number.POSITIVE_INFINITY,
}
const sent = ['{}', '{"n": 1}', '{"n": "t", "l": [1]}', '{"n": null, "l": {"a": 1}}'].map(json)
const items = {
  tools: (args: ReadonlyMap<string, unknown>) => new Tool('t', 's', json('{"r": true}'), args),
  prompts: () => new Prompt('t', 's'),
  resources: () => new Resource('u:1', 's'),
}

function factsAbout(kind: keyof typeof items, args: ReadonlyMap<string, unknown>): ItemFacts {
  return { ...factsOf(caller, head), mcp: new Mcp('tools/call', items[kind](args)) }
}

const leaves = [
  ['jwt', 'jwt.sub', 'jwt.l', 'jwt.m', 'jwt.m.x', 'jwt.b', 'jwt.none', 'i', 'request.path', 'request.headers', 'request.headers["x"]'],
  ['mcp.tool', 'mcp.tool.name', 'mcp.tool.server', 'mcp.tool.annotations', 'mcp.tool.annotations.r', 'mcp.?tool.?name', 'mcp.method'],
  ['mcp.tool.arguments', 'mcp.tool.arguments.n', 'mcp.tool.arguments.l', 'mcp.prompt', 'mcp.prompt.name', 'mcp.resource.uri'],
  ['source.address', 'source.identity', '1', '"t"', 'true', 'null', '[1, "t"]', '{"a": 1}', '1.5', '2u', 'optional.none()'],
].flat()
const operators = ['&&', '||', '==', '!=', '<', 'in', '+', '-', '*', '%']
const calls = ['has', 'size', 'string', 'int', 'bool', 'type', 'dyn', 'timestamp', 'isIP', 'cidr']
const methods = ['contains', 'startsWith', 'matches', 'indexOf', 'split', 'orValue', 'or', 'containsIP', 'substring']
const loops = ['exists', 'all', 'exists_one', 'filter', 'map']

const { rule } = fc.letrec<{ rule: string }>((tie) => {
  const one = tie('rule')
  const two = fc.tuple(one, one)
  return {
    rule: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(...leaves),
      fc.tuple(one, fc.constantFrom(...operators), one).map(([left, op, right]) => `(${left} ${op} ${right})`),
      one.map((of) => `!(${of})`),
      fc.tuple(one, one, one).map(([asked, yes, no]) => `(${asked} ? ${yes} : ${no})`),
      two.map(([wanted, otherwise]) => `default(${wanted}, ${otherwise})`),
      fc.tuple(fc.constantFrom(...calls), one).map(([name, of]) => `${name}(${of})`),
      fc.tuple(one, fc.constantFrom(...methods), one).map(([on, name, of]) => `${on}.${name}(${of})`),
      fc.tuple(one, fc.constantFrom('hasValue', 'value', 'size', 'lowerAscii', 'trim')).map(([on, name]) => `${on}.${name}()`),
      fc.tuple(one, fc.constantFrom(...loops), one).map(([on, name, body]) => `${on}.${name}(i, ${body})`),
      two.map(([of, key]) => `${of}[${key}]`),
      two.map(([of, key]) => `${of}[?${key}]`),
      two.map(([first, second]) => `[${first}, ${second}]`),
      two.map(([key, value]) => `{${key}: ${value}}`),
    ),
  }
})

test('rules of any shape: what is taken compiles, and its bounds without arguments hold with any', () => {
  let taken = 0
  const rules = fc.property(rule, fc.constantFrom<Effect>('allow', 'deny', 'require'), (text, effect) => {
    if (expressionFault(text, 'item') !== undefined) return
    taken++
    const isFor = (truth: Truth): boolean => {
      assert.ok(typeof truth === 'boolean' || truth.why !== "can't be compiled", text)
      return typeof truth === 'boolean' && truth === (effect !== 'deny')
    }
    for (const kind of ['tools', 'prompts', 'resources'] as const) {
      const about = compileRule(text, effect).about(kind)
      const unsent = factsAbout(kind, new Map())
      const [best, worst, ofServer] = [isFor(about.atBest(unsent)), isFor(about.atWorst(unsent)), isFor(about.ofServer(unsent))]
      for (const args of sent) {
        const isPassed = isFor(about.withArguments(factsAbout(kind, args)))
        if (isPassed) assert.ok(best, `${kind}: passes and is not seen`)
        if (isPassed) assert.ok(ofServer, `${kind}: passes and its server is not asked`)
        if (worst) assert.ok(isPassed, `${kind}: passes whatever is sent, but does not`)
      }
    }
  })
  fc.assert(rules, { numRuns: 8000 })
  assert.ok(taken > 150, `${taken} taken`)
})
