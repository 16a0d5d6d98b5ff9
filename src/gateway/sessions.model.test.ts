import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openListener } from '../listen/listen.ts'
import { within } from './transcripts/patience.ts'
import {
  absoluteMs,
  type Can,
  type Counted,
  cans,
  type Ending,
  idleMs,
  known,
  openTwoProcesses,
  otherThan,
  type Plan,
  type Reply,
  type Request,
  type RouteName,
  routes,
  send,
  spoils,
  type Token,
  type Tool,
  type TwoProcesses,
  until,
} from './two-processes-for-test.ts'

/** A session of the legacy server, as the model has it. */
interface Held {
  /** Who alone may use it: a client, a process for itself, or those of a process that share it. */
  readonly owner: string
  /** What the server must have heard of its client. */
  readonly declared: string | undefined
  /** It is sealed into its client's id. */
  readonly isHandedOut: boolean
  isOpen: boolean
  count: number
  /** The server's id, once it is known. */
  id: string | undefined
}

interface Client extends Token {
  readonly name: string
  readonly can: Can
  readonly openedAtMs: number
  readonly handedOut: Held | undefined
}

interface ProcessModel {
  plan: Plan
  /** When a client was seen here last. */
  readonly seen: Map<Client, number>
  readonly ended: Set<Client>
  /** Its sessions with the legacy server, where it has that server. */
  presence: Held | undefined
  readonly own: Map<Client, Held>
  readonly shared: Map<Can, Held>
}

interface Model {
  readonly processes: readonly ProcessModel[]
  readonly clients: Client[]
  readonly held: Held[]
  nowMs: number
  calls: number
}

type Expected =
  | { readonly kind: 'done'; readonly held: Held | undefined; readonly count: number }
  | { readonly kind: 'unknown session' | 'unknown tool' }

function open(model: Model, owner: string, declared: string | undefined, isHandedOut: boolean): Held {
  const held = { owner, declared, isHandedOut, isOpen: true, count: 0, id: undefined }
  model.held.push(held)
  return held
}

/** Whether a process takes a session's id on a route. */
function admits(model: Model, at: number, client: Client, route: RouteName): boolean {
  const { seen, ended, plan } = known(model.processes, at)
  const usedAtMs = seen.get(client)
  if (client.route !== route || ended.has(client) || model.nowMs - client.openedAtMs > absoluteMs) return false
  if (!plan.keys.includes(client.sealedBy) || (usedAtMs !== undefined && model.nowMs - usedAtMs > idleMs)) return false
  seen.set(client, model.nowMs)
  return true
}

/** What has to come of a request: the model is then as it is afterwards. */
function expect(model: Model, request: Request): Expected {
  const { at, tool } = request
  const client = request.kind === 'session' ? known(model.clients, request.client) : undefined
  if (request.kind === 'session' && client !== undefined) {
    if (request.spoil !== undefined || !admits(model, at, client, client.route)) return { kind: 'unknown session' }
  }
  const { plan, own, shared } = known(model.processes, at)
  if ((tool === 'l_x' ? plan.servers.legacy : plan.servers.modern) === undefined) return { kind: 'unknown tool' }
  if (tool === 'm_x') return { kind: 'done', held: undefined, count: 0 }
  const can = request.kind === 'plain' ? request.can : 'nothing'
  let held = client === undefined ? shared.get(can) : (own.get(client) ?? client.handedOut)
  if (!held?.isOpen) {
    const owner = client?.name ?? `those at ${at % 2} that can do ${can}`
    held = open(model, owner, client === undefined ? cans[can].shared : cans[client.can].own, false)
  }
  if (client === undefined) shared.set(can, held)
  else own.set(client, held)
  held.count++
  return { kind: 'done', held, count: held.count }
}

/** Holds a reply against what had to come; gives the count that it brought. */
function judge(real: TwoProcesses, { tool }: Request, call: number, ending: Ending, expected: Expected, reply: Reply): number {
  const { result, error } = reply.body
  const done = (tool === 'l_x' ? real.legacy : real.modern).done.get(call) ?? []
  const what = `${expected.kind}, but ${reply.status} ${JSON.stringify(reply.body)}`
  assert.equal(done.length, expected.kind === 'done' ? 1 : 0, `call ${call} was done ${done.length} times: ${what}`)
  if (expected.kind === 'done' && expected.held !== undefined) bind(expected.held, done[0])
  if (expected.kind === 'unknown session') assert.deepEqual([reply.status, error?.code], [404, -32600], what)
  else if (expected.kind === 'unknown tool') assert.deepEqual([reply.status, error?.code], [200, -32602], what)
  else if (ending === 'breaks') assert.deepEqual([reply.status, result?.isError], [200, true], what)
  else if (ending !== 'answer') assert.deepEqual([reply.status, error?.code], [200, -32000], what)
  else {
    assert.deepEqual([reply.status, result?.isError ?? false], [200, false], what)
    const answer = JSON.parse(result?.content[0]?.text ?? '{}') as Counted
    assert.equal(answer.call, call, 'the answer of another call')
    assert.equal(answer.session, done[0], 'the answer from another session')
    return answer.count
  }
  return expected.kind === 'done' ? expected.count : 0
}

function bind(held: Held, id: string | undefined): void {
  assert.ok(id !== undefined)
  assert.equal(id, held.id ?? id, `${held.owner} used the session ${id}, not its own`)
  held.id = id
}

/** What holds after every step: the server has the model's sessions open, and no others. */
async function check(model: Model, real: TwoProcesses): Promise<void> {
  assert.equal(real.errors(), '')
  const { sessions } = real.legacy
  const openOnes = model.held.filter((held) => held.isOpen)
  const owners = () => openOnes.map((held) => `${held.id ?? '?'} of ${held.owner}`).join(', ')
  await until(
    () => sessions.size === openOnes.length,
    () => `the server has ${[...sessions.keys()].join(', ')} open, which should be ${owners()}`,
  )
  const named = new Set(model.held.map((held) => held.id))
  const [nameless, ...more] = openOnes.filter((held) => held.id === undefined)
  const fresh = [...sessions.keys()].find((id) => !named.has(id))
  if (nameless !== undefined && more.length === 0) bind(nameless, fresh)
  assert.equal(new Set(openOnes.map((held) => held.id)).size, openOnes.length, `two owners of one session: ${owners()}`)
  for (const { id = '', owner, declared, count } of openOnes) {
    const session = sessions.get(id)
    assert.deepEqual([session?.count, declared ?? session?.declared], [count, session?.declared], `session ${id} of ${owner}`)
  }
  for (const server of [real.legacy, real.modern]) for (const [call, done] of server.done) assert.equal(done.length, 1, `call ${call}`)
}

async function request(model: Model, real: TwoProcesses, requests: readonly Request[], ending: Ending): Promise<void> {
  const lists = real.legacy.lists()
  const sent = requests.map((one) => ({ one, call: model.calls++, expected: expect(model, one) }))
  const replies = await Promise.all(
    sent.map(({ one, call }) => send(real, one, one.kind === 'session' ? known(model.clients, one.client) : undefined, call, ending)),
  )
  const counts = sent.map(({ one, call, expected }, i) => judge(real, one, call, ending, expected, known(replies, i)))
  // Of calls at once in one session any may have been the first.
  const inSessions = (list: readonly number[]) =>
    sent.map(({ expected }, i) => [expected.kind === 'done' ? expected.held?.id : '', list[i]])
  const wanted = sent.map(({ expected }) => (expected.kind === 'done' ? expected.count : 0))
  assert.deepEqual(inSessions(counts).toSorted(byText), inSessions(wanted).toSorted(byText))
  if (ending !== 'breaks') return
  for (const { one, expected } of sent) if (expected.kind === 'done' && one.tool === 'l_x') await lookedAgain(model, real, one.at, lists)
}

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** After a broken reply a process asks for the server's list, and finds out whether its own session is still known. */
async function lookedAgain(model: Model, real: TwoProcesses, at: number, lists: number): Promise<void> {
  const process = known(model.processes, at)
  const isLost = !process.presence?.isOpen
  if (isLost) process.presence = open(model, `process ${at % 2}`, undefined, false)
  const { gateway } = known(real.processes, at)
  const isBack = () =>
    real.legacy.lists() >= lists + (isLost ? 2 : 1) &&
    gateway.status().servers.every(({ state, era }) => state === 'ready' && era !== undefined)
  await until(isBack, () => 'the server was not looked at again')
}

async function initialize(model: Model, real: TwoProcesses, at: number, route: RouteName, can: Can): Promise<Client> {
  const process = known(model.processes, at)
  const params = { protocolVersion: '2025-11-25', capabilities: cans[can].client, clientInfo: { name: 'c', version: '1' } }
  const reply = await known(real.processes, at).send(route, 'POST', { jsonrpc: '2.0', id: 0, method: 'initialize', params }, {})
  assert.equal(reply.status, 200)
  const name = `client ${model.clients.length}`
  const handedOut = process.presence && open(model, name, cans[can].own, true)
  const [sealedBy = ''] = process.plan.keys
  const client = { name, route, can, token: reply.session ?? '', sealedBy, openedAtMs: model.nowMs, handedOut }
  assert.ok(client.token.startsWith(`${sealedBy}.`))
  if (handedOut !== undefined) process.own.set(client, handedOut)
  process.seen.set(client, model.nowMs)
  model.clients.push(client)
  await check(model, real)
  return client
}

async function end(model: Model, real: TwoProcesses, at: number, client: Client, route: RouteName): Promise<void> {
  const isAdmitted = admits(model, at, client, route)
  const { presence, own, seen, ended } = known(model.processes, at)
  if (isAdmitted) {
    const held = own.get(client) ?? client.handedOut
    if (presence !== undefined && held !== undefined) held.isOpen = false
    own.delete(client)
    seen.delete(client)
    ended.add(client)
  }
  const { status } = await known(real.processes, at).send(route, 'DELETE', undefined, { 'mcp-session-id': client.token })
  assert.equal(status, isAdmitted ? 204 : 404)
}

async function apply(model: Model, real: TwoProcesses, at: number, plan: Plan): Promise<void> {
  const process = known(model.processes, at)
  if (process.plan.servers.legacy !== plan.servers.legacy) {
    // Another process may go on with what was handed out.
    for (const held of [process.presence, ...process.own.values(), ...process.shared.values()])
      if (held !== undefined && !held.isHandedOut) held.isOpen = false
    process.own.clear()
    process.shared.clear()
    process.presence = plan.servers.legacy === undefined ? undefined : open(model, `process ${at % 2}`, undefined, false)
  }
  process.plan = plan
  await known(real.processes, at).apply(plan)
}

function lose(model: Model, real: TwoProcesses, isMeant: (held: Held) => boolean): void {
  for (const held of model.held) {
    if (!held.isOpen || !isMeant(held)) continue
    held.isOpen = false
    assert.ok(real.legacy.sessions.delete(held.id ?? ''))
  }
}

/** As docs/operation.md, Several processes, has it: no session that is good is lost on the way. */
async function rotateInOrder(model: Model, real: TwoProcesses, fresh: string): Promise<void> {
  const { keys } = known(model.processes, 0).plan
  const stillThere = async (to: number, client: Client) => {
    const call = { kind: 'session', at: to, client: model.clients.indexOf(client), spoil: undefined, tool: 'm_x' } as const
    await request(model, real, [call], 'answer')
    assert.ok(admits(model, to, client, client.route), 'a session was lost')
  }
  const early = await initialize(model, real, 0, 'one', 'nothing')
  for (const next of [
    [...keys, fresh],
    [fresh, ...keys],
  ])
    for (const to of [0, 1]) {
      await apply(model, real, to, { ...known(model.processes, to).plan, keys: next })
      const late = await initialize(model, real, to, 'two', 'nothing')
      await stillThere(to, early)
      await stillThere(1 - to, late)
    }
}

interface Step {
  readonly title: string
  readonly can?: (model: Model) => boolean
  readonly run: (model: Model, real: TwoProcesses) => Promise<void>
}

const command = ({ title, can = () => true, run }: Step): fc.AsyncCommand<Model, TwoProcesses> => ({
  check: (model) => can(model),
  async run(model, real) {
    await within(run(model, real), title)
    await check(model, real)
  },
  toString: () => title,
})

const [at, which] = [fc.nat(1), fc.nat(30)]
const route = fc.constantFrom(...routes)
const can = fc.constantFrom(...(Object.keys(cans) as Can[]))
const tool = fc.constantFrom<Tool>('l_x', 'l_x', 'm_x')
const keyIds = ['k1', 'k2', 'k3']
const inSession = fc.record({ kind: fc.constant('session' as const), at, client: which, spoil: fc.constant(undefined), tool })
const plain = fc
  .record({ kind: fc.constant('plain' as const), at, era: fc.constantFrom('legacy', 'modern'), can, tool })
  .map((one): Request => (one.era === 'legacy' ? { ...one, can: 'nothing' } : one))
const hasClients = ({ clients }: Model) => clients.length > 0
const calling = (requests: readonly Request[], ending: Ending, isLost = false): Step => ({
  title: `call${isLost ? ' in lost sessions' : ''} ${JSON.stringify(requests)}, which ends with ${ending}`,
  can: (model) => hasClients(model) || requests.every((one) => one.kind === 'plain'),
  async run(model, real) {
    const owners = requests.map((one) => (one.kind === 'session' ? known(model.clients, one.client).name : ''))
    if (isLost) lose(model, real, (held) => owners.includes(held.owner))
    await request(model, real, requests, ending)
  },
})

const initializing = fc.record({ at, route, can }).map((one) => ({
  title: `initialize ${JSON.stringify(one)}`,
  run: async (model: Model, real: TwoProcesses) => void (await initialize(model, real, one.at, one.route, one.can)),
}))

const steps: fc.Arbitrary<Step>[] = [
  initializing,
  initializing,
  fc
    .tuple(inSession, fc.constantFrom<Ending>('answer', 'breaks', 'session error', 'not found'))
    .map(([one, ending]) => calling([{ ...one, tool: 'l_x' }], ending)),
  fc
    .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: inSession }, plain), { minLength: 2, maxLength: 4 }), fc.boolean())
    .map(([list, isLost]) => calling(list, 'answer', isLost)),
  fc.tuple(inSession, fc.boolean()).map(([one, isLost]) => calling([one, one, { ...one, at: 1 - one.at }], 'answer', isLost)),
  inSession.map((one) =>
    calling(
      spoils.map((spoil) => ({ ...one, spoil })),
      'answer',
    ),
  ),
  plain.map((one) => calling([one], 'answer')),
  fc.constantFrom(60_000, idleMs / 2, idleMs, idleMs + 1, absoluteMs / 2, absoluteMs).map((ms) => ({
    title: `${ms} ms pass`,
    async run(model, real) {
      model.nowMs += ms
      real.nowMs += ms
    },
  })),
  fc.tuple(at, fc.shuffledSubarray(keyIds, { minLength: 1 })).map(([to, keys]) => ({
    title: `keys ${keys} at ${to}`,
    run: (model, real) => apply(model, real, to, { ...known(model.processes, to).plan, keys }),
  })),
  fc.constant({
    title: 'rotate in order',
    can: ({ processes: [a, b] }) =>
      a?.plan.keys.join() === b?.plan.keys.join() &&
      (a?.plan.keys.length ?? 0) < keyIds.length &&
      Boolean(a?.plan.servers.modern && b?.plan.servers.modern),
    run: (model, real) => rotateInOrder(model, real, keyIds.find((id) => !known(model.processes, 0).plan.keys.includes(id)) ?? ''),
  }),
  which.map((index) => ({
    title: `the server loses session ${index}`,
    async run(model, real) {
      const openOnes = model.held.filter((held) => held.isOpen)
      if (openOnes.length > 0) lose(model, real, (held) => held === known(openOnes, index))
    },
  })),
  fc.constant({ title: 'the server loses all sessions', run: async (model, real) => lose(model, real, () => true) }),
  fc.tuple(at, fc.constantFrom(undefined, 10, 11), fc.constantFrom(undefined, 10, 11)).map(([to, legacy, modern]) => ({
    title: `servers ${legacy}, ${modern} at ${to}`,
    run: (model, real) => apply(model, real, to, { ...known(model.processes, to).plan, servers: { legacy, modern } }),
  })),
  fc
    .tuple(
      at,
      which,
      fc.nat(3).map((n) => n === 0),
    )
    .map(([to, index, isWrong]) => ({
      title: `end client ${index} at ${to}${isWrong ? ' on the other route' : ''}`,
      can: hasClients,
      run(model, real) {
        const client = known(model.clients, index)
        return end(model, real, to, client, isWrong ? otherThan(client.route) : client.route)
      },
    })),
]

const plan: Plan = { keys: ['k1'], servers: { legacy: 10, modern: 10 } }

test('two processes with the same keys: every session goes on at both as it should, every call is done once, no session is left behind', async () => {
  const runs = fc.asyncProperty(
    fc.constantFrom<400 | 404>(400, 404),
    fc.commands(
      steps.map((step) => step.map(command)),
      { maxCommands: 40, size: '+1' },
    ),
    async (lost, commands) => {
      const real = await within(openTwoProcesses(plan, lost, openListener), 'two processes')
      const processes: ProcessModel[] = []
      const model: Model = { processes, clients: [], held: [], nowMs: real.nowMs, calls: 0 }
      for (const index of [0, 1]) {
        const presence = open(model, `process ${index}`, undefined, false)
        processes.push({ plan, seen: new Map(), ended: new Set(), presence, own: new Map(), shared: new Map() })
      }
      for (const [index, id] of [...real.legacy.sessions.keys()].entries()) bind(known(model.held, index), id)
      try {
        await fc.asyncModelRun(() => ({ model, real }), commands)
        await within(real.stop(), 'their end')
        for (const held of model.held) held.isOpen &&= held.isHandedOut
        await check(model, real)
      } finally {
        await real.stop()
        real.close()
      }
    },
  )
  await fc.assert(runs, { numRuns: 100 })
})
