import type { Problem } from '../../config/config.ts'
import { faultOf } from '../fragments/fragments.ts'
import { type Fault, isRaw, listAt, type Raw, shallow, shallowMembers, valueAt } from '../objects/objects.ts'
import type { UncarriedMatch } from './route-view.ts'

const anything = { path: { type: 'PathPrefix', value: '/' } } as const satisfies Raw

/**
 * A rule's `matches` as a document has them (Gateway API, HTTPRouteMatch), whether or not the API server has filled in defaults. What is
 * malformed stays as it is, so that `fragmentErrors` reports it.
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

/** The matches of a rule. */
export interface MatchesReading {
  /** The matches that the document has. */
  readonly matches: readonly Raw[]
  readonly uncarried: readonly UncarriedMatch[]
}

/**
 * Reads the matches of a rule, each by itself. Of several headers or query parameters with one name the first counts; names of headers are
 * compared in any case (Gateway API, HTTPRouteMatch).
 * @param place of the rule, such as `spec.rules[0]`
 * @param problems what `fragmentErrors` finds wrong with `matchesOf`, with paths of the route
 */
export function readMatches(rule: Raw, place: string, problems: readonly Problem[]): MatchesReading {
  const here = `${place}.matches`
  const list = matchesOf(rule)
  const whole = problems.filter(({ path }) => path === here)
  if (!Array.isArray(list) || whole.length > 0) {
    return { matches: [], uncarried: [{ place: here, refusal: undefined, faults: whole.map(asFault) }] }
  }
  const readings = list.map((match: unknown, index) => {
    const own = `${here}[${index}]`
    const wrong = problems.filter(({ path }) => path.startsWith(own))
    const kept = isRaw(match)
      ? carriedPart(
          match,
          wrong.map(({ path }) => path.slice(own.length)),
        )
      : undefined
    return { place: own, kept, faults: wrong.map(asFault) }
  })
  return {
    matches: readings.flatMap(({ kept, faults }) => (faults.length === 0 && kept !== undefined ? [kept] : [])),
    uncarried: readings.flatMap(({ kept, faults, ...where }) => (faults.length === 0 ? [] : [{ ...where, refusal: kept, faults }])),
  }
}

/** A problem whose path is one of the route, as a fault. */
export function asFault(problem: Problem): Fault {
  return faultOf(problem, problem.path, 'UnsupportedValue')
}

/** The match without what is wrong in it, so that it matches all that the whole one would, and more. Undefined where its path is wrong. */
function carriedPart(match: Raw, wrong: readonly string[]): Raw | undefined {
  const isRight = (part: string): boolean => !wrong.some((path) => path === part || path.startsWith(`${part}.`))
  if (wrong.includes('') || !isRight('.path')) return undefined
  const values = (member: 'headers' | 'queryParams', fold: (name: string) => string): Raw => {
    const list = isRight(`.${member}`) ? listAt(match, member) : []
    const names = list.map((entry) => fold(String(valueAt(entry, 'name'))))
    const kept = list.filter((_, index) => names.indexOf(names[index] ?? '') === index && isRight(`.${member}[${index}]`))
    return kept.length === 0 ? {} : { [member]: kept }
  }
  return {
    path: match['path'],
    ...values('headers', (name) => name.toLowerCase()),
    ...values('queryParams', (name) => name),
    ...(match['method'] === undefined || !isRight('.method') ? {} : { method: match['method'] }),
  }
}
