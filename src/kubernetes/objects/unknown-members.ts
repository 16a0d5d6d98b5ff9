import { isRaw, valueAt } from './raw.ts'

/** The sorted names of an object's members that are not among the known ones; none where the value is no object. */
export function unknownMembers(value: unknown, known: readonly string[]): readonly string[] {
  if (!isRaw(value)) return []
  return Object.keys(value)
    .filter((name) => !known.includes(name) && valueAt(value, name) !== undefined)
    .sort()
}
