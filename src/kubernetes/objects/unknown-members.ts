import { isRaw, valueAt } from './raw.ts'

/** Names of the members, in order, that a reader does not know: what they ask for can't be judged. None of what is no object. */
export function unknownMembers(value: unknown, known: readonly string[]): readonly string[] {
  if (!isRaw(value)) return []
  return Object.keys(value)
    .filter((name) => !known.includes(name) && valueAt(value, name) !== undefined)
    .sort()
}
