/** A member of an object; undefined of anything else. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

/** The message of a `Status`, which an API server answers with where it refuses; undefined of anything else. */
export function statusText(status: unknown): string | undefined {
  const message = memberOf(status, 'message')
  return typeof message === 'string' && message !== '' ? message : undefined
}

/** Whether a `Status` says that a resourceVersion, or a place in a list, is not kept any more. */
export function isStatusExpired(status: unknown): boolean {
  const reason = memberOf(status, 'reason')
  return memberOf(status, 'code') === 410 || reason === 'Expired' || reason === 'Gone'
}
