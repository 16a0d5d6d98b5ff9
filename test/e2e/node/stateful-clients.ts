import assert from 'node:assert/strict'
import { type LegacySession, type Outcome, openLegacySession } from '../setup/legacy-session.ts'
import { until } from '../setup/wait.ts'
import type { Run, StatefulServer } from './stateful-server.ts'

/** A client of the server that counts. */
export interface StatefulClient {
  readonly name: string
  readonly session: LegacySession
  /** Where its calls were run, in their order, since it had to lose a session of the server. */
  runs: Run[]
  /** It calls through these in turn. */
  urls: readonly string[]
  calls: number
}

export function openClients(name: string, count: number, urls: readonly string[]): Promise<readonly StatefulClient[]> {
  const open = async (_: unknown, i: number): Promise<StatefulClient> => {
    const session = await openLegacySession(urls[i % urls.length] ?? '')
    return { name: `${name} ${i + 1}`, session, runs: [], urls, calls: 0 }
  }
  return Promise.all(Array.from({ length: count }, open))
}

/** So many calls of each client, one after the other; all must be answered, and counted by one session each. */
export async function callAll(clients: readonly StatefulClient[], count: number): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < count; i++) {
        const { outcome, call } = send(client)
        const run = runOf(await outcome)
        assert.equal(run.call, call)
        client.runs.push(run)
      }
      assertOneSession(client)
    }),
  )
}

/** A call that the server has begun, and does not answer before it is let go. */
export async function callInFlight(
  client: StatefulClient,
  server: StatefulServer,
): Promise<{ readonly outcome: Promise<Outcome>; letGo(): void }> {
  const { outcome, call } = send(client, server.hold)
  await until('the call in flight', () => server.runs.find((run) => run.call === call))
  return { outcome, letGo: () => server.letGo(call) }
}

function send(client: StatefulClient, before: (call: string) => void = () => undefined) {
  const { name, session, urls } = client
  const call = `${name}, call ${++client.calls}`
  before(call)
  return { outcome: session.call(urls[client.calls % urls.length] ?? '', 'count', { call }), call }
}

/** Throws where the answer is not one of the tool's own. */
export function runOf({ response }: Outcome): Run {
  const { isError, content } = (response?.result ?? {}) as ToolResult
  const [answer] = content ?? []
  assert.ok(isError !== true && answer !== undefined, JSON.stringify(response))
  return JSON.parse(answer.text)
}

interface ToolResult {
  readonly isError?: boolean
  readonly content?: readonly { readonly text: string }[]
}

function assertOneSession({ runs }: StatefulClient): void {
  const [first] = runs
  assert.deepEqual(
    runs.map(({ pod, session, count }) => ({ pod, session, count })),
    runs.map((_, i) => ({ pod: first?.pod, session: first?.session, count: i + 1 })),
  )
}

/** Each pod's clients, by its name. */
export function byPod(clients: readonly StatefulClient[]): ReadonlyMap<string | undefined, readonly StatefulClient[]> {
  return Map.groupBy(clients, ({ runs }) => runs.at(-1)?.pod)
}
