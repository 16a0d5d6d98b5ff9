/** A JSON object whose members have not been checked. */
export type Raw = Readonly<Record<string, unknown>>

/** Readers of values that have not been checked. A value of an unexpected type counts as absent, so none of them throws. */

/** Whether a value is an object, which a list is not. */
export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at a path of members, or an empty object. */
export function rawAt(value: unknown, ...path: readonly string[]): Raw {
  const found = valueAt(value, ...path)
  return isRaw(found) ? found : {}
}

/** The list at a path of members, or an empty list. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found : []
}

/** The text at a path of members; undefined where it is empty or no text. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

/** The number at a path of members; undefined where it is none or not finite. */
export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}

/**
 * The value at a path of members. Only own members count, not inherited ones such as `constructor`; `null` counts as absent, as it does for
 * the API server.
 */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const name of path) {
    if (!isRaw(here) || !Object.hasOwn(here, name)) return undefined
    here = here[name]
  }
  return here === null ? undefined : here
}

/** The members of an object that are texts, as labels and annotations are. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRaw(value)) return {}
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
