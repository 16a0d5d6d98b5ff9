import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Caller, type Head, type Item, readJson } from '../../mcp/mcp.ts'
import type { Asking, DecidingRule } from '../seam.ts'
import { createJudge, type Judge } from './authorize.ts'
import type { AuthorizeLevel } from './settings.ts'

function json(text: string): ReadonlyMap<string, unknown> {
  const read = readJson(text, { depth: 64, tokens: 100_000 })
  assert.ok(read.kind === 'value' && read.value instanceof Map)
  return read.value
}

function caller(claims: string, kind: Caller['kind'] = 'jwt'): Caller {
  return { kind, id: 'c', subject: 'u', issuer: undefined, actors: [], claims: json(claims), expiresAtMs: Number.POSITIVE_INFINITY }
}

function asking(claims: string, headers: Readonly<Record<string, string>> = {}): Asking {
  const head: Head = {
    method: 'POST',
    path: '/mcp',
    query: '',
    host: '',
    listener: '',
    remote: '10.0.0.1',
    header: (name) => headers[name],
  }
  return { caller: caller(claims), head }
}

function item(kind: Item['kind'], name: string, server = 'git', backend = 'main', annotations = '{}'): Item {
  return { kind, backend, server, name, annotations: json(annotations) }
}

type Rules = Partial<Pick<AuthorizeLevel, 'allow' | 'deny' | 'require' | 'backend' | 'server'>>

function level(rules: Rules, place = 'policies.authorize'): AuthorizeLevel {
  return { place, backend: undefined, server: undefined, allow: [], deny: [], require: [], ...rules }
}

function judge(...levels: readonly Rules[]): Judge {
  return createJudge(levels.map((rules, index) => level(rules, index === 0 ? 'policies.authorize' : `level${index}`)))
}

const user = asking('{"sub": "u", "groups": ["sre"]}')
const own = { tools: 'tools/call', prompts: 'prompts/get', resources: 'resources/read' } as const

/** What is shown: names of a small world that a caller sees by these rules. */
const world = [item('tools', 'a'), item('tools', 'b'), item('tools', 'drop'), item('prompts', 'p'), item('resources', 'file:///x')]

function shown(rules: Judge, who = user): string {
  const names = world.filter((each) => rules.sees(who, each).isAllowed).map((each) => each.name)
  const callable = world.filter((each) => rules.mayCall(who, each, own[each.kind], undefined).isAllowed).map((each) => each.name)
  assert.deepEqual(callable, names, 'what is shown can be called, and nothing else')
  return names.join(' ')
}

const all = 'a b drop p file:///x'
const table: readonly (readonly [rules: Rules, shown: string])[] = [
  [{}, all],
  [{ allow: ['true'] }, all],
  [{ allow: ['false'] }, ''],
  [{ allow: ['mcp.tool.name == "a"'] }, 'a'],
  [{ allow: ['mcp.tool.name == "a"', 'mcp.tool.name == "b"'] }, 'a b'],
  [{ allow: ['mcp.tool.name == "a" || mcp.prompt.name == "p"'] }, 'a p'],
  [{ allow: ['mcp.tool.name != "a"'] }, 'b drop'],
  [{ allow: ['!(mcp.tool.name == "a")'] }, 'b drop'],
  [{ allow: ['!(mcp.prompt.name == "q")'] }, 'p'],
  [{ allow: ['has(mcp.resource)'] }, 'file:///x'],
  [{ allow: ['!has(mcp.tool)'] }, 'p file:///x'],
  [{ allow: ['mcp.resource.uri.startsWith("file:")'] }, 'file:///x'],
  [{ allow: ['mcp.tool.server == "git"', 'mcp.prompt.target == "git"'] }, 'a b drop p'],
  [{ allow: ['mcp.method == "tools/call"'] }, 'a b drop'],
  [{ deny: ['mcp.tool.name == "drop"'] }, 'a b p file:///x'],
  [{ deny: ['mcp.tool.name != "a"'] }, 'a p file:///x'],
  [{ deny: ['!(mcp.tool.name in ["a", "b"])'] }, 'a b p file:///x'],
  [{ require: ['mcp.tool.name != "drop"'] }, 'a b'],
  [{ require: ['!has(mcp.tool) || mcp.tool.name != "drop"'] }, 'a b p file:///x'],
  [{ require: ['"sre" in jwt.groups'] }, all],
  [{ require: ['"dev" in jwt.groups'] }, ''],
  [{ require: ['"sre" in jwt.groups', 'mcp.tool.name != "a"'] }, 'b drop'],
  [{ allow: ['true'], deny: ['mcp.tool.name == "a"'], require: ['has(mcp.tool)'] }, 'b drop'],
  // What can't be evaluated never lets anything through.
  [{ allow: ['jwt.role == "admin"'] }, ''],
  [{ allow: ['jwt.role == "admin"', 'mcp.tool.name == "a"'] }, 'a'],
  [{ deny: ['jwt.role == "guest"'] }, ''],
  [{ deny: ['mcp.tool.name == "a" && jwt.role == "guest"'] }, 'b drop p file:///x'],
  [{ deny: ['has(jwt.role) && jwt.role == "guest"'] }, all],
  [{ deny: ['default(jwt.role, "") == "guest"'] }, all],
  [{ require: ['jwt.role == "admin"'] }, ''],
  [{ allow: ['jwt.sub'] }, ''],
  [{ deny: ['jwt.sub'] }, ''],
]

test('what rules show, and so what may be called', () => {
  for (const [rules, expected] of table) assert.equal(shown(judge(rules)), expected, JSON.stringify(rules))
})

test('every level must say yes, and one of a server is asked only about what that offers', () => {
  assert.equal(
    shown(judge({ allow: ['has(mcp.tool)'] }, { deny: ['mcp.tool.name == "a"'] }, { allow: ['mcp.tool.name in ["a", "b"]'] })),
    'b',
  )
  assert.equal(shown(judge({ allow: ['mcp.tool.name == "a"'] }, { allow: ['mcp.tool.name == "b"'] })), '')
  assert.equal(shown(judge({}, { allow: ['mcp.tool.name == "b"'] })), 'b')
  assert.equal(shown(judge({ allow: ['false'], backend: 'other' })), all)
  assert.equal(shown(judge({ allow: ['false'], backend: 'main', server: 'other' })), all)
  assert.equal(shown(judge({ allow: ['false'], backend: 'main', server: 'git' })), '')
  assert.equal(shown(judge({ allow: ['false'], backend: 'main' })), '')
})

/** Rules of two levels, the item `a`, and what decided. */
const decisions: readonly (readonly [first: Rules, second: Rules, by: DecidingRule | undefined])[] = [
  [{}, {}, undefined],
  [{ deny: ['false'], require: ['true'] }, {}, undefined],
  [{ allow: ['false', 'true'] }, {}, { place: 'policies.authorize.allow[1]', text: 'true', because: 'allowed' }],
  [{ allow: ['true'] }, { allow: ['has(mcp.tool)'] }, { place: 'level1.allow[0]', text: 'has(mcp.tool)', because: 'allowed' }],
  [{ allow: ['true'] }, { deny: ['false'] }, { place: 'policies.authorize.allow[0]', text: 'true', because: 'allowed' }],
  [{ allow: ['false', 'jwt.x'] }, {}, { place: 'policies.authorize.allow', text: undefined, because: 'not-allowed' }],
  [{ allow: ['jwt.x', 'jwt.y'] }, {}, { place: 'policies.authorize.allow[0]', text: 'jwt.x', because: 'error' }],
  [{ allow: ['true'], deny: ['false', 'true'] }, {}, { place: 'policies.authorize.deny[1]', text: 'true', because: 'denied' }],
  [{ deny: ['jwt.x'] }, {}, { place: 'policies.authorize.deny[0]', text: 'jwt.x', because: 'error' }],
  [{ require: ['false'] }, {}, { place: 'policies.authorize.require[0]', text: 'false', because: 'not-required' }],
  [{ require: ['true', 'jwt.x'] }, {}, { place: 'policies.authorize.require[1]', text: 'jwt.x', because: 'error' }],
  [{ allow: ['true'] }, { require: ['false'] }, { place: 'level1.require[0]', text: 'false', because: 'not-required' }],
  [{ allow: ['false'] }, { require: ['false'] }, { place: 'policies.authorize.allow', text: undefined, because: 'not-allowed' }],
]

test('what decided, and where it stands', () => {
  for (const [first, second, by] of decisions) {
    const verdict = judge(first, second).sees(user, item('tools', 'a'))
    assert.deepEqual(verdict.by, by)
    assert.equal(verdict.isAllowed, by === undefined || by.because === 'allowed')
  }
})

const force = '{"force": true}'
/** Rules; whether the tool `a` is seen, and may be refused; whether it may be called with no arguments, and with `force`. */
const withArguments: readonly (readonly [rules: Rules, seen: 'yes' | 'maybe' | 'no', plain: boolean, forced: boolean])[] = [
  [{ deny: ['has(mcp.tool.arguments.force)'] }, 'maybe', true, false],
  [{ deny: ['mcp.tool.arguments.force'] }, 'maybe', false, false],
  [{ deny: ['default(mcp.tool.arguments.force, false)'] }, 'maybe', true, false],
  [{ deny: ['mcp.tool.name == "b" && mcp.tool.arguments.force'] }, 'yes', true, true],
  [{ deny: ['mcp.tool.name == "a" || mcp.tool.arguments.force'] }, 'no', false, false],
  [{ deny: ['!has(mcp.tool.arguments.force)'] }, 'maybe', false, true],
  [{ allow: ['has(mcp.tool.arguments.force)'] }, 'maybe', false, true],
  [{ allow: ['!has(mcp.tool.arguments.force)'] }, 'maybe', true, false],
  [{ allow: ['has(mcp.tool.arguments.force)', 'mcp.tool.name == "a"'] }, 'yes', true, true],
  [{ allow: ['mcp.tool.name == "b" && has(mcp.tool.arguments.force)'] }, 'no', false, false],
  [{ require: ['mcp.tool.arguments.force == true'] }, 'maybe', false, true],
  [{ require: ['size(mcp.tool.arguments) == 0'] }, 'maybe', true, false],
  [{ require: ['mcp.tool.arguments.all(key, key in ["force"])'] }, 'maybe', true, true],
  [{ allow: ['true'], deny: ['mcp["tool"]["arguments"].force == false'] }, 'maybe', false, true],
]

test('rules over arguments: seen wherever a call could pass, judged in full when it comes', () => {
  for (const [rules, seen, plain, forced] of withArguments) {
    const asked = judge(rules)
    const text = JSON.stringify(rules)
    const tool = item('tools', 'a')
    const verdict = asked.sees(user, tool)
    assert.deepEqual([verdict.isAllowed, verdict.mayBeRefused], [seen !== 'no', seen === 'maybe'], text)
    assert.equal(asked.mayCall(user, tool, 'tools/call', undefined).isAllowed, plain, `${text} without arguments`)
    assert.equal(asked.mayCall(user, tool, 'tools/call', '{}').isAllowed, plain, `${text} with none`)
    assert.equal(asked.mayCall(user, tool, 'tools/call', force).isAllowed, forced, `${text} with force`)
    assert.equal(asked.mayCall(user, tool, 'tools/call', force).mayBeRefused, false, text)
    assert.deepEqual(asked.sees(user, tool), verdict, `${text} again`)
  }
})

test('arguments that can not be read are refused, where a rule asks for them', () => {
  const asked = judge({ deny: ['mcp.tool.name == "a" && has(mcp.tool.arguments.force)'] })
  for (const args of [
    '{"a": 1, "a": 2}',
    '[1]',
    '"x"',
    `{"a":${'['.repeat(70)}${']'.repeat(70)}}`,
    `{"a":[${Array(100_001).fill('1').join(',')}]}`,
    '{',
  ]) {
    const verdict = asked.mayCall(user, item('tools', 'a'), 'tools/call', args)
    assert.deepEqual([verdict.isAllowed, verdict.by?.because], [false, 'error'], args.slice(0, 20))
    assert.equal(asked.mayCall(user, item('tools', 'b'), 'tools/call', args).isAllowed, true, args.slice(0, 20))
  }
})

test('whole numbers, doubles and nested values in arguments', () => {
  const asked = judge({ allow: ['mcp.tool.arguments.n + 1 == 3 && mcp.tool.arguments.d < 2 && mcp.tool.arguments.list.all(x, x.id > 0)'] })
  const call = (args: string) => asked.mayCall(user, item('tools', 'a'), 'tools/call', args).isAllowed
  assert.equal(call('{"n": 2, "d": 1.5, "list": [{"id": 1}, {"id": 2.5}]}'), true)
  assert.equal(call('{"n": 2, "d": 1, "list": []}'), true)
  assert.equal(call('{"n": 2.0, "d": 1.5, "list": []}'), false)
  assert.equal(call('{"n": 2, "d": 1.5, "list": [{"id": 0}]}'), false)
})

test('other methods must pass as well', () => {
  const asked = judge({
    deny: ['mcp.method == "resources/subscribe" && mcp.resource.uri == "a"'],
    require: ['mcp.method != "completion/complete" || has(mcp.prompt)'],
  })
  const may = (kind: Item['kind'], name: string, method: string) => asked.mayCall(user, item(kind, name), method, undefined).isAllowed
  assert.equal(may('resources', 'a', 'resources/read'), true)
  assert.equal(may('resources', 'a', 'resources/subscribe'), false)
  assert.equal(may('resources', 'b', 'resources/subscribe'), true)
  assert.equal(may('resources', 'b', 'completion/complete'), false)
  assert.equal(may('prompts', 'p', 'completion/complete'), true)
  // What can't be read can't be subscribed to either.
  const only = judge({ allow: ['mcp.method == "resources/subscribe"'] })
  assert.equal(only.sees(user, item('resources', 'a')).isAllowed, false)
  assert.equal(only.mayCall(user, item('resources', 'a'), 'resources/subscribe', undefined).isAllowed, false)
  // Verdicts by another method are not remembered as those of the item's own.
  assert.equal(may('resources', 'a', 'resources/read'), true)
})

/** Rules, and the kinds that could be there on the server `git`, and on another. */
const reach: readonly (readonly [rules: Rules, git: string, other: string])[] = [
  [{}, 'tools prompts resources', 'tools prompts resources'],
  [{ allow: ['mcp.tool.name == "a"'] }, 'tools', 'tools'],
  [{ allow: ['mcp.tool.server == "git" && mcp.tool.name == "a"'] }, 'tools', ''],
  [{ allow: ['mcp.tool.target == "git"', 'mcp.resource.uri.startsWith("x:")'] }, 'tools resources', 'resources'],
  [{ allow: ['jwt.sub == "other"'] }, '', ''],
  [{ allow: ['jwt.sub == "other" && mcp.tool.name == "a"'] }, '', ''],
  [{ allow: ['jwt.nothing == 1'] }, '', ''],
  [{ deny: ['mcp.tool.name != "a"'] }, 'tools prompts resources', 'tools prompts resources'],
  [{ deny: ['mcp.tool.server == "git"'] }, 'prompts resources', 'tools prompts resources'],
  [{ deny: ['has(mcp.prompt)'] }, 'tools resources', 'tools resources'],
  [{ require: ['mcp.tool.annotations.readOnlyHint && mcp.tool.arguments.x == 1'] }, 'tools', 'tools'],
  [{ deny: ['true'], backend: 'main', server: 'git' }, '', 'tools prompts resources'],
  [{ deny: ['true'], backend: 'elsewhere' }, 'tools prompts resources', 'tools prompts resources'],
]

test('which servers need not be asked', () => {
  for (const [rules, git, other] of reach) {
    const asked = judge(rules)
    const reached = (server: string) =>
      (['tools', 'prompts', 'resources'] as const).filter((kind) => asked.reaches(user, 'main', server, kind)).join(' ')
    assert.equal(reached('git'), git, JSON.stringify(rules))
    assert.equal(reached('other'), other, JSON.stringify(rules))
    assert.equal(reached('git'), git, 'remembered')
  }
})

test('what depends on the request is asked anew for each', () => {
  const asked = judge({ allow: ['request.headers["x-team"] == jwt.sub && mcp.tool.name == "a"'], deny: ['source.address == "10.9.9.9"'] })
  assert.equal(asked.isByCaller, false)
  const who = caller('{"sub": "t"}')
  const { head } = user
  const by = (team: string, remote = head.remote): Asking => ({ caller: who, head: { ...head, remote, header: () => team } })
  const tool = item('tools', 'a')
  assert.equal(asked.sees(by('t'), tool).isAllowed, true)
  assert.equal(asked.sees(by('x'), tool).isAllowed, false)
  assert.equal(asked.sees(by('t', '10.9.9.9'), tool).isAllowed, false)
  assert.equal(asked.reaches(by('x'), 'main', 'git', 'tools'), false)
  assert.equal(asked.reaches(by('t'), 'main', 'git', 'tools'), true)
})

test('what depends on caller and item alone is asked once', () => {
  let looked = 0
  class Watched extends Map<string, unknown> {
    override [Symbol.iterator](): MapIterator<[string, unknown]> {
      looked++
      return super[Symbol.iterator]()
    }
  }
  const annotations = new Watched([['readOnlyHint', true]])
  const asked = judge({ allow: ['mcp.tool.annotations.readOnlyHint && jwt.sub == "u"'] })
  assert.equal(asked.isByCaller, true)
  const tool: Item = { ...item('tools', 'a'), annotations }
  for (let times = 0; times < 5; times++) assert.equal(asked.sees(user, tool).isAllowed, true)
  assert.equal(looked, 1)
  assert.equal(asked.sees(asking('{"sub": "x"}'), tool).isAllowed, false)
  assert.equal(asked.sees(user, { ...tool, annotations: json('{"readOnlyHint": false}') }).isAllowed, false)
})

test('no deny may hold of any URI that a server may take one for, and every require has to; allows are asked of the one that is sent', () => {
  const sent: Item = { ...item('resources', 'file:///a%20b'), spellings: ['file:///a b', 'file:///a%20b/'] }
  const rows: readonly (readonly [Rules, boolean])[] = [
    [{}, true],
    [{ allow: ['mcp.resource.uri == "file:///a%20b"'] }, true],
    [{ allow: ['mcp.resource.uri == "file:///a b"'] }, false],
    [{ deny: ['mcp.resource.uri == "file:///a b"'] }, false],
    [{ deny: ['mcp.resource.uri.startsWith("file:///a%20b/")'] }, false],
    [{ deny: ['mcp.resource.uri == "file:///b"'] }, true],
    [{ deny: ['mcp.resource.uri.startsWith("file:///a b") && jwt.nothing'] }, false],
    [{ require: ['!mcp.resource.uri.contains(" ")'] }, false],
    [{ require: ['mcp.resource.uri.startsWith("file:///a")'] }, true],
    [{ deny: ['mcp.resource.uri == "file:///a b"'], server: 'other' }, true],
    [{ deny: ['mcp.resource.uri == "file:///a b" && request.method == "GET"'] }, true],
    [{ deny: ['mcp.resource.uri == "file:///a b" && request.method == "POST"'] }, false],
  ]
  for (const [rules, isThere] of rows) {
    const asked = judge({ allow: ['true'] }, rules)
    for (const time of ['first', 'again']) assert.equal(asked.sees(user, sent).isAllowed, isThere, `${JSON.stringify(rules)} ${time}`)
    assert.equal(asked.mayCall(user, sent, 'resources/read', undefined).isAllowed, isThere)
  }
  const subscribing = judge({ deny: ['mcp.method == "resources/subscribe" && mcp.resource.uri == "file:///a b"'] })
  assert.equal(subscribing.sees(user, sent).isAllowed, true)
  assert.equal(subscribing.mayCall(user, sent, 'resources/subscribe', undefined).isAllowed, false)
})

test('an explanation holds every rule of every level', () => {
  const asked = judge(
    { allow: ['mcp.tool.name == "a"', 'jwt.role == "admin"'], deny: ['has(mcp.tool.arguments.force)'] },
    { deny: ['true'], backend: 'other' },
    { require: ['mcp.tool.name == "b"', 'true'] },
  )
  const [first, second, third] = asked.explain(user, item('tools', 'a'), undefined)
  assert.deepEqual(first, {
    place: 'policies.authorize',
    isAsked: true,
    rules: [
      { place: 'policies.authorize.deny[0]', text: 'has(mcp.tool.arguments.force)', says: 'needs arguments', why: undefined },
      { place: 'policies.authorize.allow[0]', text: 'mcp.tool.name == "a"', says: 'holds', why: undefined },
      { place: 'policies.authorize.allow[1]', text: 'jwt.role == "admin"', says: 'error', why: 'names `role`, which is not there' },
    ],
    verdict: {
      isAllowed: true,
      mayBeRefused: true,
      by: { place: 'policies.authorize.allow[0]', text: 'mcp.tool.name == "a"', because: 'allowed' },
    },
  })
  assert.deepEqual([second?.isAsked, second?.rules, second?.verdict.isAllowed], [false, [], true])
  assert.deepEqual(
    third?.rules.map((rule) => rule.says),
    ['does not hold', 'holds'],
  )
  assert.equal(third?.verdict.by?.place, 'level2.require[0]')
  const [called] = asked.explain(user, item('tools', 'a'), force)
  assert.equal(called?.rules[0]?.says, 'holds')
  assert.deepEqual(called?.verdict.by?.because, 'denied')
})
