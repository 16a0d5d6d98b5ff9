import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from 'undici'
import type { StormReport } from './fixtures/storm-server.ts'
import { startGateway } from './gateway.ts'
import { atEnd } from './setup/at-end.ts'
import { ask, fixtureServer } from './setup/fixture-server.ts'
import { allOf, initialize, legacyPost, modernPost, type SendOptions, send, type WireMessage } from './setup/mcp-post.ts'
import { seededRandom } from './setup/seeded-random.ts'
import type { Upstream } from './setup/upstreams.ts'
import { until } from './setup/wait.ts'

const clientCount = 200
/** Calls that each client has under way at a time. */
const lanes = 4
const calls = Number(process.env['MCPLEX_STORM_CALLS'] ?? (process.env['CI'] === 'true' ? 100_000 : 10_000))
const seed = Number(process.env['MCPLEX_STORM_SEED'] ?? 1)
const servers = ['legacy', 'modern'] as const

type Mode = 'plain' | 'progress' | 'hold'

/** What a client does next; its value is in no other call of the storm. */
interface Plan {
  readonly id: string | number
  readonly value: string
  readonly server: (typeof servers)[number]
  readonly mode: Mode
  readonly steps: number
}

/** How a client of one era puts a call, and takes it back. */
interface Voice {
  readonly call: (plan: Plan, options: SendOptions) => ReturnType<typeof send>
  readonly cancel: (plan: Plan, close: () => void) => Promise<void>
}

test('200 clients with equal ids and tokens at once: everybody gets their own', { timeout: 280_000 }, async (t) => {
  const legacy = await fixtureServer(t, 'storm-server.ts', 'legacy', String(seed))
  const modern = await fixtureServer(t, 'storm-server.ts', 'modern', String(seed + 1))
  const gateway = await startGateway(t, `servers:\n  legacy: ${legacy.url}\n  modern: ${modern.url}\n`)
  const dispatcher = new Agent({ connections: clientCount * (lanes + 1) })
  atEnd(t, () => dispatcher.destroy())
  const faults: string[] = []
  const held = { legacy: 0, modern: 0 }
  const each = Math.ceil(calls / clientCount)
  const startedAt = performance.now()

  const client = async (number: number) => {
    const era = number % 2 === 0 ? 'legacy' : 'modern'
    const voice = era === 'legacy' ? await openLegacy(gateway.url, dispatcher) : modernVoice(gateway.url)
    const random = seededRandom(seed * 1000 + number)
    let made = 0
    const lane = async (index: number) => {
      for (let turn = 1; made < each; turn++) {
        made++
        const plan = planCall(`${era} client ${number}, lane ${index}, turn ${turn}`, idOf(index, turn), random)
        if (plan.mode === 'hold') held[plan.server]++
        const fault = await makeCall(voice, plan, dispatcher)
        if (fault !== undefined) faults.push(`${plan.value} (${plan.mode}, ${plan.server}): ${fault}`)
      }
    }
    await Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)))
    return made
  }
  const made = await Promise.all(Array.from({ length: clientCount }, (_, number) => client(number)))
  const seconds = (performance.now() - startedAt) / 1000
  const total = made.reduce((sum, count) => sum + count, 0)
  t.diagnostic(`${total} calls in ${seconds.toFixed(1)} s, ${held.legacy + held.modern} of them cancelled`)

  assert.deepEqual(faults.slice(0, 10), [], `${faults.length} faults`)
  assert.ok(total >= calls)
  let answered = 0
  for (const [name, server] of Object.entries({ legacy, modern })) {
    const expected = name === 'legacy' ? held.legacy : held.modern
    const { calls: count, sessions, running, cancelled, stray, ...lists } = await reportOf(server, expected)
    answered += count
    // One of each legacy client, and a few that the gateway shares among the modern ones.
    assert.ok(sessions <= clientCount / 2 + 10, `${sessions} sessions with the ${name} server`)
    assert.deepEqual({ cancelled, stray, running }, { cancelled: expected, stray: 0, running: 0 }, `what the ${name} server saw`)
    for (const [what, values] of Object.entries(lists))
      assert.deepEqual(values.slice(0, 5), [], `${what} at the ${name} server: ${values.length} calls`)
  }
  assert.equal(answered, total, 'calls that reached the servers')
})

/** What a server has seen, once all that were to be cancelled are. */
function reportOf(server: Upstream, cancelled: number): Promise<StormReport> {
  return until('every cancellation', async () => {
    const report = await ask<StormReport>(server, '/report')
    return report.cancelled + report.stray >= cancelled && report.running === 0 ? report : undefined
  })
}

/** Makes one call and gives what is wrong with what came back, if anything is. */
async function makeCall(voice: Voice, plan: Plan, dispatcher: Agent): Promise<string | undefined> {
  const closing = new AbortController()
  let progress = 0
  let isCancelled = false
  try {
    const reply = await voice.call(plan, { dispatcher, signal: closing.signal })
    if (reply.status !== 200) return `HTTP ${reply.status} ${JSON.stringify(await allOf(reply))}`
    for await (const message of reply.messages) {
      if (message.method === undefined)
        return isCancelled ? `answered though cancelled: ${JSON.stringify(message)}` : judge(message, plan, progress)
      progress++
      const own = { progressToken: plan.id, progress, message: plan.value }
      if (JSON.stringify(message.params, keys) !== JSON.stringify(own, keys)) return `progress ${JSON.stringify(message)}`
      if (plan.mode === 'plain') return 'progress that was not asked for'
      if (plan.mode !== 'hold') continue
      isCancelled = true
      await voice.cancel(plan, () => closing.abort())
    }
    return isCancelled ? undefined : 'no answer'
  } catch (error) {
    return closing.signal.aborted ? undefined : `broke: ${String(error)}`
  }
}

const keys = ['progressToken', 'progress', 'message']

function judge(message: WireMessage, plan: Plan, progress: number): string | undefined {
  const content = [{ type: 'text', text: plan.value }]
  if (message.id !== plan.id || JSON.stringify(message.result?.['content']) !== JSON.stringify(content)) return JSON.stringify(message)
  return progress === (plan.mode === 'plain' ? 0 : plan.steps) ? undefined : `${progress} of ${plan.steps} progress notifications`
}

async function openLegacy(url: string, dispatcher: Agent): Promise<Voice> {
  const opened = await send(url, initialize({}), { dispatcher })
  const session = opened.session
  await allOf(opened)
  assert.ok(session !== undefined, 'a session')
  await allOf(await send(url, legacyPost(session, { method: 'notifications/initialized' }), { dispatcher }))
  return {
    call: (plan, options) => send(url, legacyPost(session, { id: plan.id, method: 'tools/call', params: paramsOf(plan) }), options),
    async cancel(plan) {
      const told = await send(url, legacyPost(session, { method: 'notifications/cancelled', params: { requestId: plan.id } }), {
        dispatcher,
      })
      await allOf(told)
      if (told.status !== 202) throw new Error(`a cancellation gave HTTP ${told.status}`)
    },
  }
}

function modernVoice(url: string): Voice {
  return {
    call: (plan, options) => send(url, modernPost(plan.id, 'tools/call', paramsOf(plan)), options),
    async cancel(_, close) {
      close()
    },
  }
}

function paramsOf({ id, server, value, mode, steps }: Plan) {
  const _meta = mode === 'plain' ? {} : { progressToken: id }
  return { name: `${server}_echo`, arguments: { value, mode, steps }, _meta }
}

function planCall(value: string, id: string | number, random: () => number): Plan {
  const [server, kind, length] = [random() < 0.5 ? 'legacy' : 'modern', random(), random()] as const
  const mode = kind < 0.05 ? 'hold' : kind < 0.3 ? 'progress' : 'plain'
  return { id, value, server, mode, steps: 1 + Math.floor(length * 3) }
}

/** The same for every client; two lanes use a number and its text at the same time. */
function idOf(lane: number, turn: number): string | number {
  return [turn, String(turn), -turn, `call ${turn}`][lane] ?? `${lane}/${turn}`
}
