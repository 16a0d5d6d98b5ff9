import type { Raw } from './model.ts'
import { isRaw, valueAt } from './raw.ts'
import { shallow, shallowMembers } from './shallow.ts'

const anything = { path: { type: 'PathPrefix', value: '/' } } as const satisfies Raw

/**
 * A rule's `matches` as a document has them, whether the API server has filled in its defaults or not. What is malformed stays as it is,
 * for `fragmentErrors` to tell of. Gateway API, HTTPRouteMatch.
 */
export function matchesOf(rule: Raw): unknown {
  const matches = valueAt(rule, 'matches') ?? []
  if (!Array.isArray(matches)) return shallow(matches)
  return matches.length === 0 ? [anything] : matches.map(matchOf)
}

function matchOf(match: unknown): unknown {
  if (!isRaw(match)) return shallow(match)
  const { path: _, headers, queryParams, ...others } = shallowMembers(match)
  return {
    path: pathOf(valueAt(match, 'path') ?? {}),
    ...(headers === undefined ? {} : { headers: valuesOf(valueAt(match, 'headers')) }),
    ...(queryParams === undefined ? {} : { queryParams: valuesOf(valueAt(match, 'queryParams')) }),
    ...others,
  }
}

function pathOf(path: unknown): unknown {
  return isRaw(path) ? { ...anything.path, ...shallowMembers(path) } : shallow(path)
}

function valuesOf(list: unknown): unknown {
  if (!Array.isArray(list)) return shallow(list)
  return list.map((entry) => {
    if (!isRaw(entry)) return shallow(entry)
    const { type, ...others } = shallowMembers(entry)
    return type === undefined || type === 'Exact' ? others : { type, ...others }
  })
}

/** Of headers (their names in any case) and of query parameters that are named alike the first counts, as the Gateway API has it. */
export function withoutRepeats(match: Raw): Raw {
  const { path, headers, queryParams, ...others } = match
  return {
    path,
    ...(Array.isArray(headers) && headers.length > 0 ? { headers: firstOfEach(headers, (name) => name.toLowerCase()) } : {}),
    ...(Array.isArray(queryParams) && queryParams.length > 0 ? { queryParams: firstOfEach(queryParams, (name) => name) } : {}),
    ...others,
  }
}

function firstOfEach(list: readonly unknown[], fold: (name: string) => string): readonly unknown[] {
  const names = list.map((entry) => fold(String(valueAt(entry, 'name'))))
  return list.filter((_, index) => names.indexOf(names[index] ?? '') === index)
}
