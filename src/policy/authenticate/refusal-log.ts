import type { LogFields } from '../../observe/observe.ts'
import type { AuthenticateDeps } from './deps.ts'

/** Time between two lines for one reason, in ms, so that a client which is refused again and again doesn't fill the log. */
const everyMs = 10_000
const maxWordLength = 200

/** Logs why credentials were refused. Suppressed lines are counted in the next one. */
export function createRefusalLog<Why extends string>({
  now,
  log,
}: AuthenticateDeps): (why: Why, fields?: Readonly<Record<string, string | undefined>>) => void {
  const reasons = new Map<Why, { at: number; unlogged: number }>() // as many as there are reasons
  return (why, fields = {}) => {
    const at = now()
    const last = reasons.get(why)
    if (last !== undefined && at >= last.at && at - last.at < everyMs) {
      last.unlogged++
      return
    }
    reasons.set(why, { at, unlogged: 0 })
    const bounded: LogFields = Object.fromEntries(Object.entries(fields).map(([name, word]) => [name, word?.slice(0, maxWordLength)]))
    log.info({ why, ...bounded, ...(last?.unlogged ? { unlogged: last.unlogged } : {}) }, 'a credential was refused')
  }
}
