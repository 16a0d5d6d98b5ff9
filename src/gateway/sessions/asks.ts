import type { Sealer } from '../../era/era.ts'
import type { Ask } from '../../mcp/mcp.ts'

/** Whose requests and answers they are: no other session can answer them. */
export interface AskScope {
  readonly route: string
  readonly caller: string
  readonly session: string
}

/** What a legacy client's answer to a request of ours comes to. */
export type Taken =
  /** For the server that asked; any replica can bring it there. */
  | { readonly kind: 'relay'; readonly server: string; readonly id: string }
  /** It was waited for here. */
  | { readonly kind: 'taken' }
  /** Nobody waits for it any more. */
  | { readonly kind: 'late' }
  /** Another process waits for it. */
  | { readonly kind: 'elsewhere' }
  /** The id is none of ours, or another session's. */
  | { readonly kind: 'unknown' }

/** The requests that legacy clients get from us: their ids are sealed and say themselves where the answer belongs. */
export interface Asks {
  /** The id (JSON text) under which a server's own request goes to the client. */
  relayed(scope: AskScope, ask: Ask): string
  /** A request of which this process waits for the answer; undefined where too many are waited for. */
  waitFor(scope: AskScope): Waiting | undefined
  /** @param rest a member's JSON text: `"result":…` or `"error":…` */
  take(scope: AskScope, id: string, rest: string): Taken
}

export interface Waiting {
  /** JSON text. */
  readonly id: string
  /** The answer's member; never rejects, and never resolves once `stop` was called. */
  readonly answer: Promise<string>
  stop(): void
}

/** Answers waited for at a time, of all calls together and of one session. */
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
