/** A member of a value that is an object; undefined where the value is something else, or lacks it. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

/** The message of a `Status` object, which an API server sends with a refusal; undefined for any other value. */
export function statusText(status: unknown): string | undefined {
  const message = memberOf(status, 'message')
  return typeof message === 'string' && message !== '' ? message : undefined
}

/** Whether a `Status` object says that the resourceVersion, or the `continue` token of a list, has expired. */
export function isStatusExpired(status: unknown): boolean {
  const reason = memberOf(status, 'reason')
  return memberOf(status, 'code') === 410 || reason === 'Expired' || reason === 'Gone'
}
