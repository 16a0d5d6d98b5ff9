import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { openListener } from '../listen/listen.ts'
import type { Question } from './gateway.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { ScriptedServer } from './transcripts/scripted-server.ts'

// Whatever rules stand at whatever places: what is explained is what happens, what is listed is what may be called, and a deny only takes
// away.

const places = ['top', 'route', 'rule', 'agent', 'backend', 'server'] as const
type Place = (typeof places)[number]

interface Rules {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}

/** What a document says, but for its servers, which are the same in every world. */
interface World {
  readonly rules: Readonly<Partial<Record<Place, Rules | undefined>>>
  readonly tools: readonly string[]
  readonly prefix?: string | undefined
  readonly access?: string | undefined
  /** Who must prove who it is. */
  readonly mode: 'strict' | 'optional' | 'none'
  readonly takesTokens: boolean
  /** Each server is in a backend of its own. */
  readonly isSplit: boolean
}

const plainAtoms = [
  'true',
  'false',
  'mcp.tool.name == "t0"',
  'mcp.tool.name.startsWith("t")',
  'mcp.tool.server == "a"',
  'mcp.tool.annotations.readOnlyHint',
  'default(mcp.tool.annotations.readOnlyHint, false)',
  'has(mcp.tool.annotations.readOnlyHint)',
  'mcp.tool.annotations.?destructiveHint.orValue(false)',
  'apiKey.team == "x"',
  'has(apiKey.team)',
  'apiKey.id == "k1"',
  'mcp.tool.name in apiKey.tools',
  'jwt.sub == "ada"',
  'has(jwt.sub)',
  'request.method == "POST"',
  'request.path == "/mcp"',
  'source.address == "127.0.0.1"',
  'mcp.method == "tools/call"',
  'has(mcp.tool)',
  'has(mcp.prompt)',
  'mcp.prompt.name == "p"',
  'default(mcp.prompt.name, mcp.tool.name) == "u"',
  '["t0", "u"].exists(n, n == mcp.tool.name)',
] as const
const argumentAtoms = [
  'mcp.tool.arguments.n > 1',
  'has(mcp.tool.arguments.n)',
  'mcp.tool.arguments.s == "x"',
  'size(mcp.tool.arguments) == 1',
] as const

function ruleOf(atom: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const { rule } = fc.letrec<{ rule: string }>((tie) => ({
    rule: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      atom,
      tie('rule').map((of) => `!(${of})`),
      fc.tuple(tie('rule'), fc.constantFrom('&&', '||'), tie('rule')).map(([left, op, right]) => `(${left}) ${op} (${right})`),
      fc.tuple(tie('rule'), tie('rule'), tie('rule')).map(([asked, yes, no]) => `(${asked}) ? (${yes}) : (${no})`),
    ),
  }))
  return rule
}

function worldOf(rule: fc.Arbitrary<string>): fc.Arbitrary<World> {
  const some = fc.array(rule, { maxLength: 2 })
  const rules = fc.option(fc.record({ allow: some, deny: some, require: fc.array(rule, { maxLength: 1 }) }), { nil: undefined, freq: 1 })
  const accesses = ['has(apiKey.team)', 'apiKey.team == "x"', 'jwt.sub == "ada"', 'request.path == "/mcp"', 'false'] as const
  return fc.record({
    rules: fc.record({ top: rules, route: rules, rule: rules, agent: rules, backend: rules, server: rules }),
    tools: fc.uniqueArray(fc.constantFrom('*', 'a_*', '!a_t0', 'b_u', '*t0', '!*u'), { minLength: 1, maxLength: 3 }),
    prefix: fc.constantFrom(undefined, 'never', 'always', 'conditional'),
    access: fc.option(fc.constantFrom(...accesses), { nil: undefined, freq: 1 }),
    mode: fc.constantFrom('strict', 'optional', 'none'),
    takesTokens: fc.boolean(),
    isSplit: fc.boolean(),
  })
}

const plain = ruleOf(fc.constantFrom(...plainAtoms))
const any = ruleOf(fc.oneof(fc.constantFrom(...plainAtoms), fc.constantFrom(...argumentAtoms)))

const none: Rules = { allow: [], deny: [], require: [] }

/** A world in which the rules of every place decide something; it comes first in every run. */
const example: World = {
  rules: {
    top: { ...none, deny: ['has(apiKey.tools) && mcp.tool.server == "b" && mcp.tool.name == "t0"'] },
    route: { ...none, deny: ['mcp.tool.name == "u"'] },
    rule: { ...none, require: ['mcp.tool.server == "a" || has(jwt.sub)'] },
    agent: { ...none, allow: ['mcp.tool.name != "t1" || has(jwt.sub)'] },
    backend: { ...none, deny: ['apiKey.id == "k2" && mcp.tool.name == "u"'] },
    server: { ...none, deny: ['has(apiKey.team)'] },
  },
  tools: ['*'],
  mode: 'optional',
  takesTokens: true,
  isSplit: false,
}
/** The same, and all calls are judged by their arguments. */
const withArguments: World = { ...example, rules: { ...example.rules, top: { ...none, deny: ['has(mcp.tool.arguments.s)'] } } }

const issuer = 'https://id.example'
const audience = 'https://mcp.example'
const { publicKey, privateKey } = await generateKeyPair('ES256')
const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
const claims = { sub: 'ada', iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 3600 }
const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)
const digestOf = (key: string) => createHash('sha256').update(key).digest('hex')

/** What each sends, and how `explain` is told of it. */
const callers: readonly (readonly [credential: string | undefined, told: Partial<Question>])[] = [
  [undefined, {}],
  ['one', { apiKey: 'k1' }],
  ['two', { apiKey: 'k2' }],
  ['of nobody', { apiKey: 'k3' }],
  [token, { claims: JSON.stringify(claims) }],
]
const paths = ['/mcp', '/second'] as const
const names = ['a_t0', 'a_t1', 'b_t0', 'b_u', 't0', 't1', 'u', 'never_was'] as const
const argumentTexts = [undefined, '{"n": 2}', '{"n": 1, "s": "x"}'] as const

function documentOf(world: World, url: string): string {
  const { rules, tools, prefix, access, mode, takesTokens, isSplit } = world
  const at = (place: Place) => ({ authorize: rules[place] })
  const apiKeys = [
    { id: 'k1', sha256: digestOf('one'), claims: { team: 'x', tools: ['t0'] } },
    { id: 'k2', sha256: digestOf('two'), claims: { tools: ['u', 't1'] } },
  ]
  const jwt = [{ issuer, audiences: [audience], jwks: { inline: keySet }, algorithms: ['ES256'] }]
  const authenticate = mode === 'none' ? undefined : { mode, apiKeys, ...(takesTokens && { jwt }) }
  const a = { a: { http: { url: `${url}/a` }, policies: at('server') } }
  const b = { b: { http: { url: `${url}/b` } } }
  const route = (path: string, policies: object, ofRule: object) => ({
    name: path.slice(1),
    policies,
    rules: [{ matches: [{ path: { type: 'Exact', value: path } }], backends: [{ agent: 'one' }], policies: ofRule }],
  })
  return JSON.stringify({
    policies: { ...at('top'), authenticate },
    backends: isSplit
      ? { x: { servers: a, policies: at('backend') }, y: { servers: b } }
      : { x: { servers: { ...a, ...b }, policies: at('backend') } },
    agents: { one: { from: isSplit ? ['x', 'y'] : ['x'], tools, prefix, access, policies: at('agent') } },
    routes: [route('/mcp', at('route'), at('rule')), route('/second', {}, {})],
  })
}

const tool = (name: string, annotations?: object) => JSON.stringify({ name, inputSchema: { type: 'object' }, annotations })
const offers = {
  a: [tool('t0'), tool('t1', { readOnlyHint: true })],
  b: [tool('t0', { readOnlyHint: false }), tool('u', { destructiveHint: true })],
} as const

/**
 * The servers `a` and `b`, each at the path of its name. What they say to a call is which tool of whom it came to, in the words of
 * `explain`.
 */
async function openServers(t: TestContext): Promise<string> {
  const byPath = new Map(
    Object.entries(offers).map(([name, tools]) => [
      `/${name}`,
      new ScriptedServer({ name, kind: 'modern', offers: new Map([['tools', tools]]) }),
    ]),
  )
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const server = byPath.get(request.url ?? '') ?? assert.fail(request.url)
    const { id, method, params } = JSON.parse(body === '' ? '{}' : body) as { id?: unknown; method?: string; params?: { name?: string } }
    if (method !== 'tools/call') return server.take({ request, response, body })
    const text = `server "${request.url?.slice(1)}" has it as "${params?.name}"`
    const result = { resultType: 'complete', content: [{ type: 'text', text }] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    http.close()
    http.closeAllConnections()
  })
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
}

interface Reply {
  readonly result?: {
    readonly isError?: boolean
    readonly content?: readonly { readonly text: string }[]
    readonly tools?: readonly { name: string }[]
  }
  readonly error?: { readonly message: string }
}

/** One call of a world, what came of it, and whether its tool was in the list that its caller got. */
interface Seen {
  readonly path: (typeof paths)[number]
  readonly name: string
  readonly args: string | undefined
  readonly told: Partial<Question>
  readonly outcome: 'allowed' | 'refused' | 'hidden'
  /** What the server said, of what is allowed. */
  readonly text: string | undefined
  /** Its caller got a list, which may have been empty. */
  readonly isLetIn: boolean
  readonly isListed: boolean
}

/** A gateway that becomes one world after the other. */
async function open(t: TestContext) {
  const url = await openServers(t)
  const { gateway, port, close } = await openGateway(configOf(documentOf(example, url)), openListener)
  t.after(close)

  async function send(path: string, credential: string | undefined, method: string, params: string, name?: string) {
    const meta = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
    const info = '"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"}'
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name !== undefined && { 'mcp-name': name }),
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
    }
    const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${params}"_meta":{${meta},${info}}}}`
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })
    const text = await reply.text()
    return reply.status === 401 || reply.status === 403 ? undefined : (JSON.parse(text) as Reply)
  }

  async function call(path: string, credential: string | undefined, name: string, args: string | undefined) {
    const params = `"name":"${name}",${args === undefined ? '' : `"arguments":${args},`}`
    const reply = await send(path, credential, 'tools/call', params, name)
    if (reply === undefined) return { outcome: 'refused', text: undefined } as const
    const text = reply.result?.content?.[0]?.text ?? ''
    if (reply.error !== undefined) assert.equal(reply.error.message, `Unknown tool: ${name}`)
    else if (reply.result?.isError) assert.match(text, /a rule refuses this call/)
    else return { outcome: 'allowed', text } as const
    return { outcome: reply.error === undefined ? 'refused' : 'hidden', text: undefined } as const
  }

  async function ofCaller(path: Seen['path'], caller: number): Promise<readonly Seen[]> {
    const [credential, told] = callers[caller] ?? assert.fail()
    const list = await send(path, credential, 'tools/list', '')
    // Whoever finds nothing there is told so, instead of an empty list.
    if (list?.error !== undefined) assert.match(list.error.message, /^agent "one" has no tools/)
    const listed = new Set(list?.result?.tools?.map((one) => one.name))
    // Who is not let in is let in to nothing.
    const asked = list === undefined ? names.slice(0, 1) : names
    return Promise.all(
      asked.map(async (name, index) => {
        // Each name meets all arguments, but not from everybody.
        const args = argumentTexts[(index + caller + paths.indexOf(path)) % argumentTexts.length]
        return {
          path,
          name,
          args,
          told,
          isLetIn: list !== undefined,
          isListed: listed.has(name),
          ...(await call(path, credential, name, args)),
        }
      }),
    )
  }

  return {
    gateway,
    /** What happens to calls of everybody on every way, in one order. */
    async become(world: World): Promise<readonly Seen[]> {
      gateway.apply(configOf(documentOf(world, url)))
      await gateway.settled()
      return (await Promise.all(paths.flatMap((path) => callers.map((_, caller) => ofCaller(path, caller))))).flat()
    },
  }
}

/** Few, each of which is a reload and some fifty requests. */
const runs = { numRuns: 4 }

const inWords = ({ path, name, args, told }: Seen) => `${JSON.stringify(told)} ${path} ${name} ${args}`

test('what is explained is what happens, on every way to the agent', async (t) => {
  const { gateway, become } = await open(t)
  const outcomes = new Set<string>()
  const check = async (world: World) => {
    for (const seen of await become(world)) {
      const { path, name: tool, args, told, outcome, text, isListed } = seen
      const said = await gateway.explain({ agent: 'one', tool, args: args ?? '{}', ...told })
      const expected = path === '/mcp' ? said : (said.elsewhere.find((way) => way.path === path) ?? said)
      // A caller is not told whether what it does not see is there.
      const asSeen = expected.outcome === 'unknown' ? 'hidden' : expected.outcome
      assert.equal(outcome, asSeen, `${inWords(seen)} ${JSON.stringify(said.steps)}`)
      if (outcome === 'allowed' && said.outcome === 'allowed')
        assert.ok(
          said.steps.some((step) => step.text === text),
          `${inWords(seen)} ${text}`,
        )
      outcomes.add(outcome)
      if (args !== undefined || path !== '/mcp') continue
      const unasked = await gateway.explain({ agent: 'one', tool, ...told })
      assert.equal(unasked.outcome === 'allowed', isListed, `${inWords(seen)} is listed`)
    }
  }
  await fc.assert(fc.asyncProperty(worldOf(any), check), { ...runs, examples: [[withArguments]] })
  assert.deepEqual([...outcomes].sort(), ['allowed', 'hidden', 'refused'])
})

test('without rules over arguments what is listed may be called, and nothing else', async (t) => {
  const { become } = await open(t)
  const check = async (world: World) => {
    for (const seen of await become(world)) assert.equal(seen.outcome === 'allowed', seen.isListed, inWords(seen))
  }
  await fc.assert(fc.asyncProperty(worldOf(plain), check), { ...runs, examples: [[example]] })
})

test('with them what may be called is listed, and what is not listed is unknown', async (t) => {
  const { become } = await open(t)
  const check = async (world: World) => {
    for (const seen of await become(world)) {
      if (seen.outcome === 'allowed') assert.ok(seen.isListed, inWords(seen))
      if (seen.isLetIn) assert.equal(seen.outcome !== 'hidden', seen.isListed, inWords(seen))
      else assert.equal(seen.outcome, 'refused', inWords(seen))
    }
  }
  await fc.assert(fc.asyncProperty(worldOf(any), check), { ...runs, examples: [[withArguments]] })
})

/** Whether rules of a place are asked about a call that is allowed. */
function isUnder(place: Place, { isSplit }: World, { path, text }: Seen): boolean {
  if (place === 'route' || place === 'rule') return path === '/mcp'
  const isOfBoth = place === 'top' || place === 'agent' || (place === 'backend' && !isSplit)
  return isOfBoth || text?.startsWith('server "a"') === true
}

test('another deny never lists or lets through more, and takes nothing from other places', async (t) => {
  const { become } = await open(t)
  const check = async (world: World, place: Place, rule: string) => {
    const { allow, deny, require } = world.rules[place] ?? none
    const before = new Map((await become(world)).map((seen) => [inWords(seen), seen]))
    const after = await become({ ...world, rules: { ...world.rules, [place]: { allow, deny: [...deny, rule], require } } })
    for (const now of after) {
      const was = before.get(inWords(now)) ?? assert.fail(inWords(now))
      if (now.isListed) assert.ok(was.isListed, inWords(now))
      if (now.outcome === 'allowed') assert.deepEqual([was.outcome, was.text], ['allowed', now.text], inWords(now))
      if (was.outcome !== 'allowed') continue
      if (!isUnder(place, world, was)) assert.equal(now.outcome, 'allowed', inWords(now))
      else if (rule === 'true') assert.equal(now.outcome, 'hidden', inWords(now))
    }
  }
  const property = fc.asyncProperty(worldOf(any), fc.constantFrom(...places), fc.oneof(any, fc.constant('true')), check)
  await fc.assert(property, { ...runs, examples: [[withArguments, 'server', 'true']] })
})
