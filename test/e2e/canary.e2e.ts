import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { badDocuments } from './canary/bad-documents.ts'
import { oddRequests, sweep } from './canary/requests.ts'
import { openScene, type Scene, type SceneSettings } from './canary/scene.ts'
import { runMcplex, temporaryDirectory } from './gateway.ts'
import { createSeeker, formsOf, randomText, type Said, type Sighting } from './setup/canaries.ts'
import { type KeptReplies, keepReplies } from './setup/kept-replies.ts'
import { initialize, legacyPost, modernPost } from './setup/mcp-post.ts'
import { until } from './setup/wait.ts'

/** Where a secret may be seen, and why. Each row must be needed. */
interface Seen {
  readonly canary: string
  readonly place: RegExp
  readonly why: string
}

const gossipName = 'a server that calls a tool like a secret has published it: the tool is shown and recorded by its name'
const seenEverywhere: readonly Seen[] = [
  { canary: 'sinkHeader', place: /^heads for the audit sink$/, why: 'it is what the sink is sent' },
  { canary: 'sinkQuery', place: /^heads for the audit sink$/, why: 'it is part of the URL that is asked' },
  { canary: 'failingSinkHeader', place: /^heads for the failing audit sink$/, why: 'it is what the sink is sent' },
  {
    canary: 'password',
    place: /^reply: .*(arguments that come back|arguments that are none)/,
    why: "the tool's own answer says its arguments",
  },
  { canary: 'gossipDescription', place: /^reply: .*a list/, why: "a tool's description is the server's own text" },
  { canary: 'gossipError', place: /^reply: .*a server that tells its secret/, why: "a call's failure is the server's own text" },
  { canary: 'gossipName', place: /^reply: .*(a list|called like a secret)/, why: gossipName },
  { canary: 'gossipName', place: /^(stderr|stdout|audit file|bodies for the (failing )?audit sink)$/, why: gossipName },
  { canary: 'gossipName', place: /^admin \/metrics$/, why: gossipName },
  { canary: 'gossipName', place: /^admin \/tools/, why: gossipName },
  { canary: 'gossipName', place: /^tools, stdout$/, why: gossipName },
  { canary: 'gossipDescription', place: /^tools, stdout$/, why: "a tool's description is the server's own text" },
  { canary: 'gossipDescription', place: /^admin \/tools/, why: "a tool's description is the server's own text" },
]

const scenes: readonly SceneSettings[] = [
  { secrets: 'in the document', log: 'json', arguments: true },
  { secrets: 'by reference', log: 'text', arguments: false },
]

for (const settings of scenes) {
  const name = `secrets ${settings.secrets}, log in ${settings.log}, arguments ${settings.arguments ? 'recorded' : 'digested'}`
  test(`none of them is seen: ${name}`, { timeout: 300_000 }, async (t) => {
    const scene = await openScene(t, settings)
    const replies = keepReplies()
    const said: Said[] = []
    const sessionIds: string[] = []
    let lastSessions: Sessions = { open: '', closed: '' }

    await t.test('requests good and bad', async () => {
      let count = 0
      for (const era of ['legacy', 'modern'] as const) {
        const sessions = { open: await openSession(scene, replies, 'open'), closed: await openSession(scene, replies, 'closed') }
        sessionIds.push(...Object.values(sessions))
        lastSessions = sessions
        for (const request of sweep(scene, era, sessions)) {
          const { status, body } = await replies.ask(`${era}: ${request.name}`, scene.serving.port, request)
          assert.equal(status, request.status, `${era}: ${request.name}: ${body}`)
          count++
        }
      }
      for (const request of oddRequests(scene)) {
        const port = 'ca' in request ? scene.serving.otherPort : scene.serving.port
        const { status, body } =
          'bytes' in request ? await replies.write(request.name, port, request.bytes) : await replies.ask(request.name, port, request)
        assert.equal(status, request.status, `${request.name}: ${body}`)
        count++
      }
      assert.ok(count >= 100, `${count} requests`)
    })
    await t.test('the secrets are in use', () => assertInUse(scene))
    await t.test('what operators ask', async () => {
      said.push(...(await askAdmin(scene, replies)))
    })
    await t.test('documents that can not be put in force', () => reloadBadly(scene))
    await t.test('commands', async () => {
      said.push(...(await runCommands(scene)))
    })
    await t.test('an end with calls under way', () => endWithCalls(scene, replies, lastSessions))
    said.push(...replies.said, ...(await scene.outputs()))

    const canaries = [...scene.canaries(), ...sessionIds.map((value, at) => ({ name: `session ${at}`, value }))]
    const seek = createSeeker(canaries)
    await t.test('a canary that is put there is found, whole or in part, in each form', () => {
      for (const { name, value } of canaries) {
        for (const [form, text] of Object.entries(formsOf(value))) {
          for (const shown of [text, text.slice(0, 24), text.slice(-24)]) {
            const found = seek([{ place: 'planted', text: `{"x":"y ${shown}"}` }])
            assert.ok(found.length > 0, `${name}, ${form}, ${shown.length} characters`)
          }
        }
      }
    })
    await t.test('what is said is all looked at: a name that a client chose is found in it', async () => {
      const places = new Set(createSeeker([{ name: 'planted', value: planted }])(said).map(({ place }) => place))
      for (const place of ['stderr', 'stdout', 'audit file', 'bodies for the audit sink', 'bodies for the failing audit sink'])
        assert.ok(places.has(place), `${place}: ${[...places].join(', ')}`)
    })
    await t.test('nothing is found but where it belongs', () => {
      const rows = [...seenEverywhere, ...sessionIds.map((_, at) => sessionRow(at))]
      assertOnlyWhere(seek(said), rows)
    })
  })
}

type Sessions = Readonly<Record<'open' | 'closed', string>>

/** What a client calls a tool that isn't there: recorded and told as it is. */
const planted = randomText()

test('documents with a literal secret and a mistake: what is said of them does not say it', { timeout: 300_000 }, async (t) => {
  const secret = randomText()
  const directory = await temporaryDirectory(t)
  const commands: Command[] = []
  for (const [at, { name, code, text }] of badDocuments(secret).entries()) {
    const file = join(directory, `${at}.yaml`)
    await writeFile(file, text)
    commands.push({ name: `check, ${name}`, args: ['check', file], codes: [78], says: new RegExp(` ${code}:`) })
    if (at % 4 === 0)
      commands.push({ name: `check --output json, ${name}`, args: ['check', '--print', file, '--output', 'json'], codes: [78] })
    if (at % 9 === 0) commands.push({ name: `run, ${name}`, args: ['run', '--config', file], codes: [78] })
  }
  const said = await runAll({}, commands)
  assertOnlyWhere(createSeeker([{ name: 'the secret', value: secret }])(said), [])
})

function sessionRow(at: number): Seen {
  return { canary: `session ${at}`, place: /^reply: opens a session/, why: 'a client is told its session' }
}

async function openSession({ serving, tokens }: Scene, replies: KeptReplies, agent: 'open' | 'closed'): Promise<string> {
  const headers = agent === 'closed' ? { authorization: `Bearer ${tokens.valid}` } : {}
  const path = `/mcp/${agent}`
  const first = initialize({})
  const opened = await replies.ask('opens a session', serving.port, { ...first, path, headers: { ...first.headers, ...headers } })
  const session = opened.headers['mcp-session-id']
  assert.ok(typeof session === 'string', opened.body)
  const call = legacyPost(session, { id: 1, method: 'tools/call', params: { name: planted, arguments: {} } })
  const { status } = await replies.ask('a planted name', serving.port, { ...call, path, headers: { ...call.headers, ...headers } })
  assert.equal(status, 200)
  return session
}

/** Whatever is not used can't be seen either. */
function assertInUse({ servers, secrets, issuer, sinks, serving }: Scene): void {
  const last = (server: 'vault' | 'gossip' | 'broken') => servers[server].heard.at(-1)
  assert.deepEqual([last('vault')?.authorization, last('vault')?.['x-vault']], [`Bearer ${secrets.vaultBearer}`, secrets.vaultKey])
  assert.deepEqual([last('gossip')?.['x-name'], last('broken')?.['x-broken']], [secrets.gossipName, secrets.brokenKey])
  assert.ok(issuer.fetched() > 0, 'keys were fetched with the secret')
  const [taken] = sinks.good.taken
  assert.deepEqual([taken?.url, taken?.headers.authorization], [`/in?key=${secrets.sinkQuery}`, `Bearer ${secrets.sinkHeader}`])
  assert.equal(sinks.failing.taken[0]?.headers['x-key'], secrets.failingSinkHeader)
  assert.match(serving.child.stderr(), /audit records are not taken/)
  for (const { heard } of Object.values(servers)) {
    const foreign = heard.filter((headers) => JSON.stringify(headers).includes(secrets.cookie) || headers['x-api-key'] !== undefined)
    assert.deepEqual(foreign, [], "callers' own headers stay here")
  }
}

async function askAdmin({ serving, secrets }: Scene, replies: KeptReplies): Promise<readonly Said[]> {
  const claims = encodeURIComponent('{"sub":"alice"}')
  const paths = [
    ...['/config', '/status', '/metrics', '/readyz', '/healthz', '/nothing', '/tools?agent=open', '/tools?agent=nobody-there'],
    ...['closed', 'open', 'nobody'].map((agent) => `/why?agent=${agent}&tool=vault_echo&claims=${claims}`),
    `/why?agent=closed&tool=vault_greet&apiKey=bot&arguments=${encodeURIComponent('{"message":"forbidden"}')}`,
    '/why?agent=closed&tool=nothing',
    '/why?agent=closed&tool=broken_echo',
  ]
  const said: Said[] = []
  for (const path of paths) {
    for (const token of [secrets.adminToken, secrets.wrongApiKey]) {
      const headers = { authorization: `Bearer ${token}` }
      const { status, body } = await replies.ask('admin', serving.adminPort, { method: 'GET', path, headers })
      replies.said.pop()
      if (token === secrets.adminToken) assert.notEqual(status, 401, path)
      else if (!/^\/(readyz|healthz)/.test(path)) assert.equal(status, 401, path)
      said.push({ place: `admin ${path}`, text: body })
    }
  }
  return said
}

/** Changes that aren't taken: what is in force goes on. What is said of them stands in the log. */
async function reloadBadly({ serving: { file, child }, secrets }: Scene): Promise<void> {
  const refusals = () => child.stderr().split('the changed configuration is refused').length - 1
  const good = await readFile(file, 'utf8')
  for (const bad of [
    `nonsense: ${secrets.strayBearer}\n${good}`,
    good.replace('listen:', 'lissten:'),
    `${good}\nbroken: [ ${secrets.strayQuery}\n`,
  ]) {
    const before = refusals()
    await writeFile(file, bad)
    await until('the bad document to be refused', () => (refusals() > before ? true : undefined), { explain: child.stderr })
  }
  await writeFile(file, good)
}

async function runCommands({ serving, env, secrets, tokens }: Scene): Promise<readonly Said[]> {
  const { directory, file } = serving
  const write = async (name: string, text: string) => {
    await writeFile(join(directory, name), text)
    return join(directory, name)
  }
  const token = await write('token', tokens.valid)
  const expired = await write('expired', tokens.expired)
  const claims = await write('claims.json', '{"sub":"alice"}')
  const key = await write('key', secrets.auditKey)
  const wrongKey = await write('wrong-key', secrets.sealKey)
  const noKey = await write('no-key', secrets.password)
  const records = join(directory, 'audit.jsonl')
  const why = ['why', 'vault_echo', '--agent', 'closed', '--config', file]
  const verify = ['audit', 'verify', records]
  return runAll(env, [
    ...[[], ['--output', 'json']].flatMap((output): readonly Command[] => [
      { name: 'check', args: ['check', file, ...output], codes: [0] },
      { name: 'check --print', args: ['check', '--print', file, ...output], codes: [0] },
      { name: 'test', args: ['test', file, ...output], codes: [1] },
      { name: 'tools', args: ['tools', file, ...output], codes: [0, 1, 69] },
      { name: 'why', args: [...why, '--token', token, ...output], codes: [0] },
    ]),
    { name: 'why', args: [...why, '--token', expired], codes: [1] },
    { name: 'why', args: [...why, '--claims', claims], codes: [0] },
    { name: 'why', args: [...why, '--api-key', 'bot', '--output', 'json'], codes: [0] },
    { name: 'why', args: why, codes: [1] },
    { name: 'audit verify', args: [...verify, '--key-file', key], codes: [0] },
    { name: 'audit verify by another key', args: [...verify, '--key-file', wrongKey, '--output', 'json'], codes: [1] },
    { name: 'audit verify by no key', args: [...verify, '--key-file', noKey], codes: [2] },
    { name: 'audit verify by a key in the command', args: [...verify, '--key', secrets.password], codes: [2] },
    // The ports are taken: the start fails.
    { name: 'run', args: ['run', '--config', file], codes: [1] },
  ])
}

interface Command {
  readonly name: string
  readonly args: readonly string[]
  readonly codes: readonly number[]
  /** What stderr must say. */
  readonly says?: RegExp
}

/** Runs them, some at a time. */
async function runAll(env: Readonly<Record<string, string>>, commands: readonly Command[]): Promise<readonly Said[]> {
  const waiting = [...commands]
  const said: Said[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, args, codes, says = /(?:)/ } = next
      const { code, stdout, stderr } = await runMcplex(args, { env })
      assert.ok(codes.includes(code ?? -1), `${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
      assert.match(stderr, says, name)
      said.push({ place: `${name}, stdout`, text: stdout }, { place: `${name}, stderr`, text: stderr })
    }
  }
  await Promise.all(Array.from({ length: commandsAtOnce }, work))
  return said
}

const commandsAtOnce = 4

/** SIGTERM while calls hang; the second ends the process at once. */
async function endWithCalls({ serving, secrets, tokens, servers }: Scene, replies: KeptReplies, sessions: Sessions): Promise<void> {
  const heard = () => servers.vault.heard.filter((headers) => headers['mcp-name'] === 'hold').length
  const params = { name: 'vault_hold', arguments: { password: secrets.password } }
  const calls = { modern: modernPost(1, 'tools/call', params), legacy: legacyPost(sessions.open, { id: 99, method: 'tools/call', params }) }
  const held = Object.entries(calls).map(([era, call]) => {
    const headers = { ...call.headers, cookie: secrets.cookie, authorization: `Bearer ${tokens.valid}` }
    return replies.ask(`${era}: held`, serving.port, { ...call, path: '/mcp/open', headers }).then(
      () => 'answered',
      () => 'cut',
    )
  })
  await until('the calls to be under way', () => (heard() === 2 ? true : undefined))
  serving.child.kill('SIGTERM')
  await until('the process to say that it ends', () => (serving.child.stderr().includes('stopping') ? true : undefined))
  serving.child.kill('SIGTERM')
  assert.deepEqual(await Promise.all(held), ['cut', 'cut'])
  const { code, stderr } = await serving.child.finished
  assert.equal(code, 1, stderr.slice(-2000))
}

function assertOnlyWhere(found: readonly Sighting[], rows: readonly Seen[]): void {
  const strays = found.filter(({ canary, place }) => !rows.some((row) => row.canary === canary && row.place.test(place)))
  const needless = rows.filter((row) => !found.some(({ canary, place }) => row.canary === canary && row.place.test(place)))
  const told = strays.map(({ canary, form, place, around }) => `${canary} (${form}) in ${place}: …${around}…`)
  assert.deepEqual({ strays: told, needless }, { strays: [], needless: [] })
}
