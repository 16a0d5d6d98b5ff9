import type { Sealer } from '../../era/era.ts'
import type { Ask } from '../../mcp/mcp.ts'

/** The session that a request is made to. No other session can answer it. */
export interface AskScope {
  readonly route: string
  readonly caller: string
  readonly session: string
}

/** What becomes of a legacy client's response to a request. */
export type Taken =
  /** It goes to the server that made the request; any replica can bring it there. */
  | { readonly kind: 'relay'; readonly server: string; readonly id: string }
  /** This process waited for it and has it. */
  | { readonly kind: 'taken' }
  /** Nobody waits for it any more. */
  | { readonly kind: 'late' }
  /** Another process waits for it. */
  | { readonly kind: 'elsewhere' }
  /** The id was not made by this gateway, or belongs to another session. */
  | { readonly kind: 'unknown' }

/** Requests to legacy clients. Their ids are sealed, and hold where the response belongs. */
export interface Asks {
  /** The id (JSON text) with which a server's own request is sent to the client. */
  relayed(scope: AskScope, ask: Ask): string
  /** Makes an id for a request whose response this process waits for; undefined where it waits for too many. */
  waitFor(scope: AskScope): Waiting | undefined
  /** @param rest a member's JSON text: `"result":…` or `"error":…` */
  take(scope: AskScope, id: string, rest: string): Taken
}

export interface Waiting {
  /** JSON text. */
  readonly id: string
  /** The response's member: `"result":…` or `"error":…`. Never rejects, and never resolves once `stop` was called. */
  readonly answer: Promise<string>
  stop(): void
}

/** Bounds of the responses that are waited for at a time: of all sessions, and of one. */
const maxWaiting = 10_000
const maxOfSession = 128

/** @param process names this process among the replicas */
export function createAsks(sealer: () => Sealer, process: string): Asks {
  const waiting = new Map<number, (rest: string) => void>()
  /** Of each session that has any. */
  const counts = new Map<string, number>()
  let count = 0
  const bound = ({ route, caller, session }: AskScope) => [route, caller, session]
  const idOf = (scope: AskScope, payload: readonly (string | number)[]) =>
    JSON.stringify(sealer().seal(JSON.stringify(payload), bound(scope)))

  return {
    relayed: (scope, ask) => idOf(scope, ['relay', ask.server, ask.id]),
    waitFor(scope) {
      const { session } = scope
      const own = counts.get(session) ?? 0
      if (waiting.size === maxWaiting || own === maxOfSession) return undefined
      counts.set(session, own + 1)
      const number = ++count
      const answer = new Promise<string>((resolve) => waiting.set(number, resolve))
      let isStopped = false
      const stop = () => {
        if (isStopped) return
        isStopped = true
        waiting.delete(number)
        const left = (counts.get(session) ?? 1) - 1
        if (left > 0) counts.set(session, left)
        else counts.delete(session)
      }
      return { id: idOf(scope, ['wait', process, number]), answer, stop }
    },
    take(scope, id, rest) {
      const text = sealer().open(id, bound(scope))
      if (text === undefined) return { kind: 'unknown' }
      const [kind, where, which] = JSON.parse(text) as ['relay', string, string] | ['wait', string, number]
      if (kind === 'relay') return { kind, server: where, id: which }
      if (where !== process) return { kind: 'elsewhere' }
      const resolve = waiting.get(which)
      if (resolve === undefined) return { kind: 'late' }
      waiting.delete(which)
      resolve(rest)
      return { kind: 'taken' }
    },
  }
}
