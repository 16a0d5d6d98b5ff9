import { isRaw, type Raw } from './raw.ts'

/** The value with nothing that is nested deeper than its members: enough to be told what is wrong with it, and of a bounded depth. */
export function shallow(value: unknown): unknown {
  return isRaw(value) ? shallowMembers(value) : flat(value)
}

/** The members that are there, each with nothing inside. */
export function shallowMembers(value: Raw): Raw {
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === null ? [] : [[name, flat(member)]])))
}

function flat(value: unknown): unknown {
  if (Array.isArray(value)) return []
  return isRaw(value) ? {} : value
}
