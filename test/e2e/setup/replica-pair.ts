import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { fixtureServer } from './fixture-server.ts'
import { type Replica, startReplica } from './replica.ts'
import { type RoundRobin, roundRobin } from './round-robin.ts'
import type { Upstream } from './upstreams.ts'

/** Two processes with the same keys over the same servers, and a round-robin before them in which the first is 0. */
export interface ReplicaPair {
  readonly first: Replica
  readonly second: Replica
  readonly balancer: RoundRobin
  /** The server `stateful`, of the legacy era, and the server `asking`, of the modern one. */
  readonly stateful: Upstream
  readonly asking: Upstream
}

/** Sealing keys by id, in the order of the document: the first seals. */
export type Keys = Readonly<Record<string, string>>

/** A new secret of 32 bytes. */
export const newSecret = () => randomBytes(32).toString('base64')

/** Starts both servers and both processes. */
export async function replicaPair(t: TestContext, keys: Keys = { a: newSecret() }): Promise<ReplicaPair> {
  const [stateful, asking] = await Promise.all([fixtureServer(t, 'stateful-server.ts'), fixtureServer(t, 'asking-server.ts')])
  const [first, second] = await Promise.all([startWith(t, keys, stateful, asking), startWith(t, keys, stateful, asking)])
  return { first, second, balancer: await roundRobin(t, [first.origin, second.origin]), stateful, asking }
}

/** Starts one process with these keys over these servers, at a port that is given or a free one; `rest` is the rest of its document. */
export function startWith(
  t: TestContext,
  keys: Keys,
  stateful: Upstream,
  asking: Upstream,
  { port, rest = '' }: { readonly port?: number; readonly rest?: string } = {},
): Promise<Replica> {
  const rows = Object.keys(keys).map((id) => `{ id: ${id}, secret: "\${KEY_${id}}" }`)
  const env = Object.fromEntries(Object.entries(keys).map(([id, secret]) => [`KEY_${id}`, secret]))
  const body = `servers:\n  stateful: ${stateful.url}\n  asking: ${asking.url}\nsessions: { keys: [${rows.join(', ')}] }\n${rest}`
  return startReplica(t, body, env, port)
}
