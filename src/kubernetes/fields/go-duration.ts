const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, μs: 1e-3, ns: 1e-6 }
const gep2257 = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/
const go = /^\+?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:h|ms|m|s|us|µs|μs|ns))+$/

/**
 * A duration of Go's `time.ParseDuration`, such as `1m0.5s`, as the GEP-2257 text that documents take: to whole milliseconds, rounded
 * down. Undefined for what is none, for less than a millisecond and for 100,000 hours and more.
 */
export function gepDuration(text: string): string | undefined {
  if (text.length > 64 || !go.test(text)) return undefined
  let totalMs = 0
  for (const [, amount, unit = ''] of text.matchAll(/([0-9.]+)(h|ms|m|s|us|µs|μs|ns)/g)) totalMs += Number(amount) * (unitsMs[unit] ?? 0)
  const wholeMs = Math.floor(totalMs + 1e-6)
  if (wholeMs < 1 || wholeMs >= 100_000 * 3_600_000) return undefined
  return gep2257.test(text) ? text : formatted(wholeMs)
}

function formatted(totalMs: number): string {
  const parts = [
    [Math.floor(totalMs / 3_600_000), 'h'],
    [Math.floor(totalMs / 60_000) % 60, 'm'],
    [Math.floor(totalMs / 1000) % 60, 's'],
    [totalMs % 1000, 'ms'],
  ] as const
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount}${unit}`])).join('')
}
