/** A JSON object whose members nobody has looked at yet. */
export type Raw = Readonly<Record<string, unknown>>

/** Tolerant readers of unknown values: what has another type counts as absent, so nothing here ever throws. */

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object at a path of members; an empty one where there is none. */
export function rawAt(value: unknown, ...path: readonly string[]): Raw {
  const found = valueAt(value, ...path)
  return isRaw(found) ? found : {}
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path)
  return Array.isArray(found) ? found : []
}

/** A text that is not empty. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path)
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}

/** Own members alone, so that `constructor` and the like are absent. `null` counts as absent, as for the API server. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const name of path) {
    if (!isRaw(here) || !Object.hasOwn(here, name)) return undefined
    here = here[name]
  }
  return here === null ? undefined : here
}

/** The members that are texts, such as labels and annotations. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRaw(value)) return {}
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
