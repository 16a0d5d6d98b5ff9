import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Caller, type Head, readJson } from '../mcp/mcp.ts'
import { maxSteps } from './budget.ts'
import {
  compileAccess,
  compileRule,
  expressionFault,
  factsOf,
  type ItemFacts,
  type KindRule,
  Mcp,
  Prompt,
  Tool,
  type Truth,
} from './cel.ts'
import { languages } from './language.ts'

function json(text: string): ReadonlyMap<string, unknown> {
  const read = readJson(text, { depth: 64, tokens: 1_000_000 })
  assert.ok(read.kind === 'value' && read.value instanceof Map)
  return read.value
}

function caller(kind: Caller['kind'], claims: string): Caller {
  return { kind, id: 'c', subject: 'key-1', issuer: undefined, actors: [], claims: json(claims), expiresAtMs: Number.POSITIVE_INFINITY }
}

const headers: Readonly<Record<string, string>> = { 'x-team': 'a', authorization: 'Bearer t', cookie: 'k=v', 'x-api-key': 'k' }
const head: Head = {
  method: 'POST',
  path: '/mcp',
  query: 'q=1',
  host: 'gateway.example',
  listener: 'main',
  remote: '10.1.2.3',
  header: (name) => headers[name],
}
const claims = `{"sub": "u", "n": 5, "d": 1.5, "yes": true, "nothing": null, "text": "abc", "long": "${'x'.repeat(300)}", "groups": ["sre", "dev"], "mixed": ["a", 1, null, {"k": "v"}],
  "empty": [], "lists": [["a"], [1]], "nested": {"key": "value", "more": {"x": 1}}, "__proto__": {"admin": true}, "constructor": "c",
  "range": "10.0.0.0/8", "pattern": "^a.c$", "when": "2026-01-02T03:04:05Z"}`

function factsAbout(about: Tool | Prompt, who = caller('jwt', claims), method = 'tools/call'): ItemFacts {
  return { ...factsOf(who, head), mcp: new Mcp(method, about) }
}

function tool(args = '{}'): Tool {
  return new Tool('get_file', 'git', json('{"readOnlyHint": true, "title": "Get"}'), json(args))
}

function ask(text: string, facts: ItemFacts = factsAbout(tool())): Truth {
  assert.equal(expressionFault(text, 'item'), undefined, text)
  return compileRule(text, 'allow').about('tools').withArguments(facts)
}

function why(truth: Truth): string {
  assert.ok(typeof truth !== 'boolean', String(truth))
  return truth.why
}

const truths: readonly (readonly [text: string, truth: boolean])[] = [
  ['jwt.sub == "u"', true],
  ['jwt.nested.key == "value" && jwt["nested"]["more"].x == 1', true],
  ['jwt.yes', true],
  ['"sre" in jwt.groups && !("ops" in jwt.groups)', true],
  ['jwt.groups.exists(g, g.startsWith("s")) && !jwt.groups.all(g, g == "sre")', true],
  ['jwt.groups.exists_one(g, g == "dev")', true],
  ['jwt.groups.filter(g, g == "dev") == ["dev"]', true],
  ['jwt.groups.map(g, g + "!") == ["sre!", "dev!"]', true],
  ['jwt.groups.contains("dev") && !jwt.groups.contains("d") && jwt.text.contains("b")', true],
  ['jwt.groups[1] == "dev" && size(jwt.groups) == 2 && jwt.groups.size() == 2', true],
  ['"a" in jwt.mixed && 1 in jwt.mixed && null in jwt.mixed && {"k": "v"} in jwt.mixed', true],
  ['jwt.mixed.contains(1.0) && jwt.mixed.contains({"k": "v"})', true],
  // What `contains` says is what `in` says.
  ['[{"k": "v"}].contains(jwt.mixed[3]) && {"k": "v"}.contains("k") && !{"k": "v"}.contains("v") && [2u, 3].contains(2u)', true],
  ['[timestamp(jwt.when)].contains(timestamp("2026-01-02T03:04:05Z")) && [duration("60s")].contains(duration("1m"))', true],
  ['[9007199254740993].contains(9007199254740992) || [9007199254740993].contains(9007199254740992.0)', false],
  ['"a" in jwt.empty || jwt.empty.exists(x, true)', false],
  ['jwt.lists == [["a"], [1]] && jwt.lists[1][0] == 1', true],
  ['"key" in jwt.nested && jwt.nested.contains("key") && jwt.nested.exists(k, k == "more") && size(jwt.nested) == 2', true],
  ['has(jwt.nested.key) && !has(jwt.nested.other) && !has(jwt.other) && has(jwt.nothing)', true],
  ['jwt.nothing == null && jwt.n != null', true],
  ['jwt.n + 1 == 6 && jwt.n == 5.0 && jwt.n > 4.5 && jwt.d < 2 && jwt.d == 1.5', true],
  ['jwt.n == "5" || jwt.text == 5 || jwt.groups == "sre"', false],
  ['default(jwt.other, "d") == "d" && default(jwt.nested.other.deep, 1) == 1 && default(jwt.n, 0) == 5', true],
  ['jwt.?other.orValue("d") == "d" && jwt.?n.orValue(0) == 5', true],
  ['jwt.constructor == "c" && jwt.__proto__.admin && !has(jwt.prototype) && !has(jwt.toString)', true],
  ['type(jwt.n) == int && type(jwt.d) == double && string(jwt.n) == "5" && int("5") == jwt.n', true],
  ['jwt.text.matches("b") && jwt.text.matches(jwt.pattern) && !jwt.text.matches("^b")', true],
  ['"ABCÄ".lowerAscii() == "abcÄ" && jwt.text.upperAscii() == "ABC"', true],
  ['jwt.text.indexOf("c") == 2 && jwt.text.lastIndexOf("x") == -1 && jwt.text.substring(1, 2) == "b"', true],
  ['"a,b".split(",")[1] == "b" && " a ".trim() == "a"', true],
  ['cidr("10.0.0.0/8").containsIP(source.address) && cidr(jwt.range).containsIP(source.address)', true],
  ['cidr("fd00::/8").containsIP(source.address) || isIP("10.0.0")', false],
  ['timestamp(jwt.when).getFullYear() == 2026 && timestamp(jwt.when) - timestamp(1767322000) < duration("1h")', true],
  ['mcp.tool.name == "get_file" && mcp.tool.server == "git" && mcp.tool.target == "git"', true],
  ['mcp.method == "tools/call" && mcp.methodName == mcp.method', true],
  ['mcp.tool.annotations.readOnlyHint && mcp.tool.annotations.title == "Get"', true],
  ['has(mcp.tool) && !has(mcp.prompt) && !has(mcp.resource)', true],
  ['request.method == "POST" && request.path == "/mcp" && request.pathAndQuery == "/mcp?q=1" && request.host == "gateway.example"', true],
  ['request.headers["x-team"] == "a" && request.headers["X-Team"] == "a" && "x-team" in request.headers', true],
  ['has(request.headers.other) || "x-other" in request.headers', false],
  // Credentials are out of reach by a name that is computed too.
  ['["authorization", "Cookie", "x-api-key", "proxy-authorization"].exists(h, h in request.headers)', false],
  ['has(apiKey.id) || size(apiKey) > 0 || has(source.identity)', false],
  // A failure that makes no difference is none.
  ['jwt.other == 1 || jwt.sub == "u"', true],
  ['jwt.other == 1 && jwt.sub == "x"', false],
  ['jwt.groups.exists(g, g == "dev" || g.other)', true],
]

test('what expressions yield', () => {
  for (const [text, truth] of truths) assert.deepEqual(ask(text), truth, text)
})

const failures: readonly (readonly [text: string, why: RegExp])[] = [
  ['jwt.other == 1', /names `other`, which is not there/],
  ['has(jwt.other.deep)', /`other`/],
  ['jwt.groups[7] == "a"', /element that is not there/],
  ['jwt.text', /neither true nor false/],
  ['jwt.text && jwt.yes', /got 'string'/],
  ['!jwt.n', /!int/],
  ['jwt.d + 1 == 2', /double.*\+ int/],
  ['jwt.n.startsWith("a")', /int\.startsWith\(string\)/],
  ['jwt.n.contains("a")', /int\.contains\(string\)/],
  ['jwt.n.matches("a")', /no text/],
  ['"a" in jwt.text', /string in/],
  ['jwt.n.exists(x, x == 1)', /range of a comprehension/],
  ['1 / (jwt.n - 5) == 1', /division by zero/],
  ['cidr(jwt.text).containsIP(source.address)', /range of addresses/],
  ['jwt.text.matches(jwt.text + "(")', /computed pattern can't be read$/],
  ['jwt.text.matches(jwt.text + "{9}")', /computed pattern holds `{`/],
  ['mcp.tool.name.matches(jwt.groups.map(g, "x")[0] + jwt.long)', /longer than 256/],
  ['request.headers["x-other"] == "a"', /`x-other`/],
  ['source.identity == "a"', /`identity`/],
  ['bool(jwt.text)', /neither/],
]

test('what fails, and why in words that quote no value', () => {
  for (const [text, reason] of failures) assert.match(why(ask(text)), reason, text)
  assert.doesNotMatch(why(ask('bool(jwt.text)')), /abc/)
})

test('a caller is found under the variable of its kind alone', () => {
  const key = factsAbout(tool(), caller('apiKey', '{"group": "ops", "id": "forged"}'))
  assert.equal(ask('apiKey.group == "ops" && apiKey.id == "key-1" && size(jwt) == 0', key), true)
  assert.equal(ask('size(jwt) == 0 && size(apiKey) == 0', factsAbout(tool(), caller('anonymous', '{}'))), true)
  const certificate = {
    identity: 'spiffe://a/b',
    subject: 'CN=b',
    issuer: 'CN=ca',
    alternativeNames: ['spiffe://a/b'],
    fingerprint: '',
    expiresAtMs: 0,
  }
  const shown = compileAccess('source.identity == "spiffe://a/b" && "spiffe://a/b" in source.subjectAltNames && source.issuer == "CN=ca"')
  assert.equal(shown.holds(factsOf(caller('certificate', '{}'), { ...head, tls: { certificate } })), true)
  const refused = compileAccess('has(source.identity) || has(source.subject) || has(source.subjectAltNames)')
  assert.equal(refused.holds(factsOf(caller('anonymous', '{}'), { ...head, tls: { certificate: 'refused' } })), false)
})

test('what rules depend on', () => {
  assert.equal(compileRule('jwt.a == mcp.tool.name', 'allow').needsRequest, false)
  assert.equal(compileRule('request.path == "/"', 'allow').needsRequest, true)
  assert.equal(compileRule('has(source.identity)', 'allow').needsRequest, true)
  assert.equal(compileAccess('apiKey.a == 1').needsRequest, false)
  assert.equal(compileRule('mcp.method == "tools/call"', 'allow').needsMethod, true)
  assert.equal(compileRule('mcp["methodName"] == "tools/call"', 'allow').needsMethod, true)
  assert.equal(compileRule('mcp.tool.name == "a"', 'allow').needsMethod, false)
  assert.equal(compileRule('has(mcp.tool.arguments.a)', 'deny').about('tools').needsArguments, true)
  assert.equal(compileRule('has(mcp.tool.arguments.a)', 'deny').about('prompts').needsArguments, false)
})

test('published examples of agentgateway mean the same', () => {
  const about = (name: string, target = 'server') =>
    factsAbout(new Tool(name, target, new Map(), new Map()), caller('jwt', '{"sub": "test-user", "nested": {"key": "value"}}'))
  const examples: readonly (readonly [text: string, facts: ItemFacts, truth: boolean])[] = [
    ['mcp.tool.name == "echo"', about('echo'), true],
    ['jwt.sub == "test-user" && mcp.tool.name == "add"', about('add'), true],
    ['jwt.sub == "test-user" && mcp.tool.name == "add"', about('printEnv'), false],
    ['mcp.tool.name == "printEnv" && jwt.nested.key == "value"', about('printEnv'), true],
    ['mcp.tool.name == "increment" && mcp.tool.target == "server"', about('increment'), true],
    ['mcp.tool.target == "other"', about('increment'), false],
  ]
  for (const [text, facts, truth] of examples) assert.equal(ask(text, facts), truth, text)
})

/** `readJson` of a list with so many elements. */
const longList = (length: number, element: string) =>
  `{"list": [${Array(length).fill(element).join(',')}], "text": "${'a'.repeat(60_000)}"}`

const costly: readonly (readonly [what: string, text: string, args: string])[] = [
  ['a loop in a loop', 'mcp.tool.arguments.list.all(a, mcp.tool.arguments.list.all(b, b == "x"))', longList(2000, '"x"')],
  ['a list looked through in a loop', 'mcp.tool.arguments.list.all(a, !("y" in mcp.tool.arguments.list))', longList(2000, '"x"')],
  [
    'lists compared in a loop',
    'mcp.tool.arguments.list.all(a, mcp.tool.arguments.list == mcp.tool.arguments.list.map(x, x))',
    longList(2000, '"x"'),
  ],
  ['lists joined in a loop', 'mcp.tool.arguments.list.map(a, mcp.tool.arguments.list + [a]).size() > 0', longList(2000, '"x"')],
  ['patterns in a loop', 'mcp.tool.arguments.list.all(a, mcp.tool.arguments.text.matches("^(a+)+$"))', longList(100, '"x"')],
  ['a large pattern on a long text', 'mcp.tool.arguments.text.matches("[ab]*a[ab]{400}[0-9]")', longList(1, '1')],
  ['computed patterns in a loop', 'mcp.tool.arguments.list.all(a, mcp.tool.name.matches(a))', longList(200, '"_"')],
  ['searches in a loop', 'mcp.tool.arguments.list.all(a, mcp.tool.arguments.text.contains(a))', longList(2000, '"a"')],
  [
    'prefixes in a loop',
    'mcp.tool.arguments.list.all(a, mcp.tool.arguments.text.startsWith(mcp.tool.arguments.text))',
    longList(2000, '"a"'),
  ],
  [
    'a search for half of a text',
    'mcp.tool.arguments.text.contains(mcp.tool.arguments.text.substring(30000) + "b" + mcp.tool.arguments.text.substring(30000))',
    longList(1, '1'),
  ],
  [
    'a failure that a loop gets over',
    'mcp.tool.arguments.list.exists(a, !mcp.tool.arguments.list.all(b, b != "y") || a == "z")',
    longList(2000, '"x"').replace(']', ',"z"]'),
  ],
  ['a list that grows', `(${Array(200).fill('mcp.tool.arguments.list').join(' + ')}).size() > 0`, longList(2000, '"x"')],
]

test('work is bounded, whatever callers send', () => {
  for (const [what, text, args] of costly) {
    assert.equal(expressionFault(text, 'item'), undefined, what)
    const rule = compileRule(text, 'deny').about('tools')
    const truth = rule.withArguments(factsAbout(tool(args)))
    assert.deepEqual(truth, { kind: 'failure', why: 'looks through too much' }, what)
  }
})

test('what calls are like is within the bound', () => {
  const paths = longList(1000, '"/srv/data/file"')
  assert.equal(
    ask('mcp.tool.arguments.list.all(p, p.startsWith("/srv/") && !p.contains("..") && p.matches("^/[a-z/]+$"))', factsAbout(tool(paths))),
    true,
  )
  assert.equal(ask('mcp.tool.arguments.list.all(p, ["/srv/", "/tmp/"].exists(d, p.startsWith(d)))', factsAbout(tool(paths))), true)
  assert.equal(ask('mcp.tool.arguments.list.exists(a, a == 1)', factsAbout(tool(longList(99_000, '0')))), false)
  assert.ok(maxSteps >= 99_000)
})

test('a text that is too long to match fails', () => {
  const long = `{"text": "${'a'.repeat(65_537)}"}`
  assert.match(why(ask('mcp.tool.arguments.text.matches("^(a+)+$")', factsAbout(tool(long)))), /longer than 65536/)
  const fits = `{"text": "${'a'.repeat(65_535)}!"}`
  assert.equal(ask('mcp.tool.arguments.text.matches("^(a+)+$")', factsAbout(tool(fits))), false)
})

test('deeply nested arguments', () => {
  const deep = `{"a": ${'['.repeat(62)}1${']'.repeat(62)}, "m": ${'{"m":'.repeat(62)}1${'}'.repeat(62)}}`
  const facts = factsAbout(tool(deep))
  assert.equal(ask('mcp.tool.arguments.a == mcp.tool.arguments.a && mcp.tool.arguments.m == mcp.tool.arguments.m', facts), true)
  assert.equal(ask(`mcp.tool.arguments.a${'[0]'.repeat(40)} == 1`, facts), false)
})

test('the shapes of what callers send leave nothing behind', () => {
  // The evaluator would look at a map's first entry to name its type, and keep a type for each nesting that it has met.
  const who = caller('jwt', '{"m": {"inner": {"x": [{"y": 1}]}}}')
  let looked = 0
  const seen = factsAbout(tool(), who).jwt.get('m')
  assert.ok(seen instanceof Map)
  const inner: unknown = seen.get('inner')
  assert.ok(inner instanceof Map)
  for (const map of [seen, inner]) {
    const entries = map.entries.bind(map)
    map.entries = () => {
      looked++
      return entries()
    }
    assert.equal([...map.entries()].length, 0)
  }
  looked = 0
  assert.equal(ask('jwt.m == {"inner": 1}', factsAbout(tool(), who)), false)
  assert.equal(looked, 1, 'it looks at the outermost map alone')
})

test('a prompt has no tool, and the other way round', () => {
  const facts = factsAbout(new Prompt('p', 'git'), undefined, 'prompts/get')
  const about = (text: string): KindRule => compileRule(text, 'allow').about('prompts')
  assert.equal(about('mcp.prompt.name == "p" && mcp.prompt.server == "git" && !has(mcp.tool)').withArguments(facts), true)
  assert.equal(about('mcp.tool.name == "p" || mcp.resource.name == "p"').withArguments(facts), false)
  assert.equal(about('default(mcp.tool.name, mcp.prompt.name) == "p"').withArguments(facts), true)
  assert.equal(about('mcp.?tool.name.orValue(mcp.prompt.name) == "p"').withArguments(facts), true)
})

test('a rule that was not checked fails, and never throws', () => {
  for (const text of ['jwt.sub.matches(["a"])', 'mcp.tool.arguments.x + 1', '(', '', `${'!'.repeat(20_000)}jwt.a`, 'nobody == 1']) {
    for (const effect of ['allow', 'deny', 'require'] as const) {
      const about = compileRule(text, effect).about('tools')
      for (const stage of [about.atBest, about.atWorst, about.withArguments, about.ofServer]) {
        const truth = stage(factsAbout(tool()))
        if (!text.includes('arguments')) assert.match(why(truth), /can't be compiled/, text)
      }
      assert.equal(typeof about.withArguments(factsAbout(tool())), 'object', text)
    }
    assert.equal(typeof compileAccess(text).holds(factsOf(caller('jwt', claims), head)), 'object', text)
  }
})

test('a deny whose question about arguments may fail is not passed without them', () => {
  const about = compileRule('mcp.tool.arguments.n == 1 ? jwt.n == 0 : jwt.n == 0', 'deny').about('tools')
  assert.equal(about.needsArguments, true)
  assert.equal(about.atBest(factsAbout(tool())), false)
  assert.equal(about.atWorst(factsAbout(tool())), true)
  assert.match(why(about.withArguments(factsAbout(tool()))), /`n`/)
  assert.equal(about.withArguments(factsAbout(tool('{"n": 1}'))), false)
})

const literals = [
  'mcp.tool.name == "get_file"',
  'jwt.n > 3',
  'jwt.other',
  'jwt.text',
  '"sre" in jwt.groups',
  'jwt.groups.exists(g, g == "dev")',
  '(jwt.n + 1) * 2 == 12',
] as const
const { rule } = fc.letrec<{ rule: string }>((tie) => ({
  rule: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(
      ...literals,
      '"text"',
      '1',
      'mcp.prompt.name',
      'mcp.tool.arguments.a',
      'default(mcp.tool.name, mcp.prompt.name)',
      'mcp.tool.name',
    ),
    tie('rule').map((of) => `!(${of})`),
    fc
      .tuple(tie('rule'), fc.constantFrom('&&', '||', '==', '!=', '<', '+', '-', 'in'), tie('rule'))
      .map(([left, op, right]) => `(${left}) ${op} (${right})`),
    fc.tuple(tie('rule'), tie('rule'), tie('rule')).map(([asked, yes, no]) => `(${asked}) ? (${yes}) : (${no})`),
    fc.tuple(tie('rule'), tie('rule')).map(([wanted, otherwise]) => `default(${wanted}, ${otherwise})`),
    fc.tuple(fc.constantFrom('map', 'filter', 'exists', 'all'), tie('rule')).map(([loop, body]) => `jwt.groups.${loop}(x, ${body})`),
    fc
      .tuple(tie('rule'), fc.constantFrom('matches("a")', 'contains("a")', 'size()', 'lowerAscii()', 'split("_")'))
      .map(([on, call]) => `(${on}).${call}`),
  ),
}))

test('what is checked can be compiled for every kind and asked', () => {
  let checked = 0
  fc.assert(
    fc.property(rule, fc.constantFrom('allow' as const, 'deny' as const), (text, effect) => {
      if (expressionFault(text, 'item') !== undefined) return
      checked++
      for (const kind of ['tools', 'prompts', 'resources'] as const) {
        const about = compileRule(text, effect).about(kind)
        for (const ask of [about.atBest, about.atWorst, about.withArguments, about.ofServer]) {
          const truth = ask(kind === 'prompts' ? factsAbout(new Prompt('p', 's'), undefined, 'prompts/get') : factsAbout(tool()))
          assert.ok(typeof truth === 'boolean' || truth.why !== '')
        }
      }
    }),
    { numRuns: 4000 },
  )
  assert.ok(checked > 300, `${checked} checked`)
})

test('what is compiled says what the expression says', () => {
  const { environment } = languages.item
  const plain = fc.letrec<{ rule: string }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(...literals),
      tie('rule').map((of) => `!(${of})`),
      fc.tuple(tie('rule'), fc.constantFrom('&&', '||', '=='), tie('rule')).map(([left, op, right]) => `(${left}) ${op} (${right})`),
      fc.tuple(tie('rule'), tie('rule'), tie('rule')).map(([asked, yes, no]) => `(${asked}) ? (${yes}) : (${no})`),
      fc.tuple(fc.constantFrom('exists', 'all', 'exists_one'), tie('rule')).map(([loop, body]) => `jwt.groups.${loop}(x, ${body})`),
    ),
  })).rule
  fc.assert(
    fc.property(plain, (text) => {
      if (expressionFault(text, 'item') !== undefined) return
      const facts = factsAbout(tool())
      const said = (() => {
        try {
          const result: unknown = environment.evaluate(text, facts)
          return typeof result === 'boolean' ? result : 'failure'
        } catch {
          return 'failure'
        }
      })()
      const truth = compileRule(text, 'allow').about('tools').withArguments(facts)
      assert.equal(typeof truth === 'boolean' ? truth : truth.kind, said)
    }),
    { numRuns: 3000 },
  )
})
