import type { TestContext } from 'node:test'

/** A real part that a test needs and that a user's machine may lack. */
export type Part<T> = { readonly kind: 'ready'; readonly value: T } | { readonly kind: 'missing'; readonly reason: string }

export function ready<T>(value: T): Part<T> {
  return { kind: 'ready', value }
}

export function missing(reason: string): Part<never> {
  return { kind: 'missing', reason }
}

/**
 * The part, or undefined after the test was marked as skipped with the reason: the test then returns at once.
 * With CI=true a missing part throws, so that nothing is skipped in silence there.
 */
export async function need<T>(t: TestContext, part: Promise<Part<T>>): Promise<T | undefined> {
  const made = await part
  if (made.kind === 'ready') return made.value
  if (process.env['CI'] === 'true') throw new Error(`missing in CI: ${made.reason}`)
  t.skip(made.reason)
  return undefined
}
