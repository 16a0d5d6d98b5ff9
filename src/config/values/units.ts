const durationUnitsMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const sizeUnits = { KiB: 1024, MiB: 1024 * 1024 } as const

export const durationPattern = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/
export const sizePattern = /^[0-9]{1,9}(?:KiB|MiB)$/
export const headerLimitPattern = /^[0-9]{1,9}(?:KiB|MiB)\/[0-9]{1,5}$/

/** The milliseconds of a GEP-2257 duration such as `1h30m`. Throws a RangeError for any other text, which a parsed Config never holds. */
export function durationMs(text: string): number {
  if (!durationPattern.test(text)) throw new RangeError(`not a duration: ${text}`)
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    totalMs += Number(amount) * durationUnitsMs[unit as keyof typeof durationUnitsMs]
  }
  return totalMs
}

/** The bytes of a size such as `16KiB` or `4MiB`. Throws a RangeError for any other text, which a parsed Config never holds. */
export function sizeBytes(text: string): number {
  if (!sizePattern.test(text)) throw new RangeError(`not a size: ${text}`)
  return Number.parseInt(text, 10) * sizeUnits[text.slice(-3) as keyof typeof sizeUnits]
}

/** The two bounds in `limits.headers`, such as `16KiB/100`. Throws a RangeError for any other text. */
export function headerLimit(text: string): { readonly bytes: number; readonly count: number } {
  const [size = '', count = ''] = text.split('/')
  if (!headerLimitPattern.test(text)) throw new RangeError(`not a limit of headers: ${text}`)
  return { bytes: sizeBytes(size), count: Number(count) }
}
