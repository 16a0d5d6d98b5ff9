import { durationMs } from '../../config/config.ts'
import { isRaw, type Raw, rawAt, textAt } from '../objects/objects.ts'
import { isZero } from '../routes/routes.ts'

/** The requests of a rule in the document. */
export interface Calls {
  /** The names of the backends that the rule leads to. */
  readonly backends: readonly string[]
  /** How long one may take, as GEP-2257 writes it; undefined where nothing sets it. */
  readonly request: string | undefined
}

/** The time limit of servers that set none (configuration.md, `timeouts`). */
const usualMs = 60_000
/** Stands for no limit: no session is older. */
const longest = '24h'
const longestMs = 24 * 3_600_000

interface Wish {
  readonly text: string
  readonly ms: number
}

/** By the name of a backend: the longest time limit that rules set for requests there, if it is longer than the servers' default. */
export function longestRequests(calls: readonly Calls[]): ReadonlyMap<string, string> {
  return greatestWishes(calls, ({ ms }) => ms)
}

/** By the name of a backend: a text at least as long as any that `longestRequests` can have for it if some of the calls are left out. */
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

/** The backend with this time limit for those of its servers that set none. */
export function withRequestTimeout(backend: Raw, request: string): Raw {
  const servers = Object.entries(rawAt(backend, 'servers')).map(([name, server]) => {
    const timeouts = rawAt(server, 'timeouts')
    return [name, !isRaw(server) || textAt(timeouts, 'request') !== undefined ? server : { ...server, timeouts: { ...timeouts, request } }]
  })
  return { ...backend, servers: Object.fromEntries(servers) }
}
