import { durationMs } from '../../config/config.ts'
import { isRaw, type Raw, rawAt, textAt } from '../objects/objects.ts'
import { isZero } from '../routes/routes.ts'

/** Requests that a document leads to backends. */
export interface Calls {
  /** Names of the backends. */
  readonly backends: readonly string[]
  /** How long one may take, as GEP-2257 has it; undefined: nobody says it. */
  readonly request: string | undefined
}

/** What servers have where nobody says it (configuration.md, `timeouts`). */
const usualMs = 60_000
/** As good as no limit: no session is older. */
const longest = '24h'
const longestMs = 24 * 3_600_000

interface Wish {
  readonly text: string
  readonly ms: number
}

/** By name of a backend: the longest time that a rule gives requests there, where that is longer than servers usually have. */
export function longestRequests(calls: readonly Calls[]): ReadonlyMap<string, string> {
  return greatestWishes(calls, ({ ms }) => ms)
}

/** By name of a backend: no text that `longestRequests` has for it, whatever of these calls are left out, has more characters than this. */
export function widestRequests(calls: readonly Calls[]): ReadonlyMap<string, string> {
  return greatestWishes(calls, ({ text }) => text.length)
}

function greatestWishes(calls: readonly Calls[], weigh: (wish: Wish) => number): ReadonlyMap<string, string> {
  const found = new Map<string, Wish>()
  for (const { backends, request } of calls) {
    if (request === undefined) continue
    const wishedMs = isZero(request) ? longestMs : durationMs(request)
    const wish = wishedMs < longestMs ? { text: request, ms: wishedMs } : { text: longest, ms: longestMs }
    if (wish.ms <= usualMs) continue
    for (const name of backends) {
      const known = found.get(name)
      if (known === undefined || weigh(wish) > weigh(known)) found.set(name, wish)
    }
  }
  return new Map([...found].map(([name, { text }]) => [name, text]))
}

/** The backend of a document with this time limit for those of its servers that have none of their own. */
export function withRequestTimeout(backend: Raw, request: string): Raw {
  const servers = Object.entries(rawAt(backend, 'servers')).map(([name, server]) => {
    const timeouts = rawAt(server, 'timeouts')
    return [name, !isRaw(server) || textAt(timeouts, 'request') !== undefined ? server : { ...server, timeouts: { ...timeouts, request } }]
  })
  return { ...backend, servers: Object.fromEntries(servers) }
}
