import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks `probe` again and again until it gives a value, and gives that value.
 * Throws after `timeoutMs` with what was waited for and what `explain` adds. A probe that throws counts as not yet.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 20_000, everyMs = 20, explain = () => '' }: { timeoutMs?: number; everyMs?: number; explain?: () => string } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let last = ''
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined) return value
    } catch (error) {
      last = `\nlast error: ${error instanceof Error ? error.message : String(error)}`
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms${last}\n${explain()}`)
    await delay(everyMs)
  }
}
