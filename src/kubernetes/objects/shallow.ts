import { isRaw, type Raw } from './raw.ts'

/**
 * A copy without anything that is nested deeper than the value's own members, so that its depth is bounded: enough to say what is wrong
 * with it.
 */
export function shallow(value: unknown): unknown {
  return isRaw(value) ? shallowMembers(value) : flat(value)
}

/** The members that are not null; objects and lists among them are emptied. */
export function shallowMembers(value: Raw): Raw {
  return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === null ? [] : [[name, flat(member)]])))
}

function flat(value: unknown): unknown {
  if (Array.isArray(value)) return []
  return isRaw(value) ? {} : value
}
