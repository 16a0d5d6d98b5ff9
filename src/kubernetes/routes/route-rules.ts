import type { Problem } from '../../config/config.ts'
import { fragmentErrors } from '../fragments/fragments.ts'
import { ipFaults } from '../gateways/gateways.ts'
import {
  type Fault,
  isRaw,
  type KubeObject,
  listAt,
  type Raw,
  rawAt,
  shallow,
  shallowMembers,
  textAt,
  unknownMembers,
  valueAt,
} from '../objects/objects.ts'
import { filterFaults, readBackendRefs } from './route-backend-refs.ts'
import { asFault, matchesOf, readMatches } from './route-matches.ts'
import type { RuleView } from './route-view.ts'

/** What an HTTPRoute says beside its parentRefs. */
export interface RouteContent {
  /** In lower case; empty where it takes any host. */
  readonly hostnames: readonly string[]
  readonly rules: readonly RuleView[]
  /** Why the route can't be attached anywhere: its hostnames or its list of rules can't be expressed in a document. */
  readonly faults: readonly Fault[]
  readonly remarks: readonly Fault[]
}

const unsupported = 'UnsupportedValue'

/** Reads what an HTTPRoute says beside its parentRefs (Gateway API, HTTPRouteSpec). */
export function readContent(route: KubeObject): RouteContent {
  const spec = rawAt(route, 'spec')
  const written = rulesOf(spec)
  const hostnames = valueAt(spec, 'hostnames') ?? []
  const problems = problemsOf(spec)
  const list = Array.isArray(written) ? written : []
  const unknown = unknownMembers(spec, ['parentRefs', 'hostnames', 'rules', 'useDefaultGateways']).map((name) =>
    unknownFault(`spec.${name}`),
  )
  const faults = [
    ...problems.filter(({ path }) => !inRule.test(path)).map(asFault),
    ...listAt(hostnames).flatMap((name, index) => ipFaults(name, `spec.hostnames[${index}]`, unsupported)),
    ...(list.length === 0 ? unknown : []),
  ]
  return {
    hostnames: faults.length === 0 ? listAt(hostnames).flatMap((name) => (typeof name === 'string' ? [name.toLowerCase()] : [])) : [],
    rules: list.flatMap((raw, index) => (isRaw(raw) ? [readRule(raw, `spec.rules[${index}]`, route, problems, unknown)] : [])),
    faults,
    remarks: [...defaultGatewayRemarks(route), ...list.flatMap((raw, index) => ruleRemarks(raw, `spec.rules[${index}]`))],
  }
}

/** Paths of problems in a rule's matches and timeouts, which concern that rule alone. */
const inRule = /^spec\.rules\[\d+\]\.(?:matches|timeouts)/

/**
 * By `spec`, which stays the same object until the route changes, so that unchanged routes are not checked again. As many as there are
 * routes.
 */
const knownProblems = new WeakMap<Raw, readonly Problem[]>()

/** What `config` finds wrong with hostnames, matches and timeouts. Paths are those of the route. */
function problemsOf(spec: Raw): readonly Problem[] {
  const known = knownProblems.get(spec)
  if (known !== undefined) return known
  const written = rulesOf(spec)
  const hostnames = valueAt(spec, 'hostnames') ?? []
  const problems = fragmentErrors({
    routes: [
      {
        name: 'route',
        hostnames: Array.isArray(hostnames) ? hostnames.map(lowered) : shallow(hostnames),
        rules: Array.isArray(written) ? written.map(ruleOf) : shallow(written),
      },
    ],
  }).map((problem) => ({ ...problem, path: problem.path.replace(/^routes\[0\]/, 'spec') }))
  knownProblems.set(spec, problems)
  return problems
}

/** The rules of a route. Without any it has one that matches everything (Gateway API, HTTPRouteSpec.rules). */
function rulesOf(spec: Raw): unknown {
  return valueAt(spec, 'rules') ?? [{}]
}

function lowered(name: unknown): unknown {
  return typeof name === 'string' ? name.toLowerCase() : shallow(name)
}

/** A rule as a document has it, as far as `fragmentErrors` is to check it. */
function ruleOf(rule: unknown): unknown {
  if (!isRaw(rule)) return shallow(rule)
  return { matches: matchesOf(rule), backends: [{ refuse: { status: 500 } }], timeouts: timeoutsOf(rule) }
}

function timeoutsOf(rule: Raw): unknown {
  const timeouts = valueAt(rule, 'timeouts') ?? {}
  if (!isRaw(timeouts)) return shallow(timeouts)
  const { backendRequest: _, ...others } = shallowMembers(timeouts)
  return others
}

function unknownFault(place: string): Fault {
  return { reason: unsupported, message: `${place} is not known to this version of mcplex: leave it out` }
}

/** @param more faults of all rules of the route */
function readRule(raw: Raw, place: string, route: KubeObject, problems: readonly Problem[], more: readonly Fault[]): RuleView {
  const own = problems.filter(({ path }) => path.startsWith(`${place}.`))
  const timeoutFaults = own.filter(({ path }) => path.startsWith(`${place}.timeouts`)).map(asFault)
  const refs = readBackendRefs(raw, place, route)
  const request = textAt(raw, 'timeouts', 'request')
  return {
    place,
    name: textAt(raw, 'name'),
    ...readMatches(raw, place, own),
    timeouts: request === undefined || timeoutFaults.length > 0 ? {} : { request },
    backendRefs: refs.views,
    faults: [
      ...more,
      ...filterFaults(raw, place),
      ...timeoutFaults,
      ...refs.faults,
      ...unknownMembers(raw, ['name', 'matches', 'filters', 'backendRefs', 'timeouts', 'retry', 'sessionPersistence']).map((name) =>
        unknownFault(`${place}.${name}`),
      ),
    ],
  }
}

/** Whether a duration is zero, which means no limit (Gateway API, HTTPRouteTimeouts). */
export function isZero(duration: unknown): boolean {
  return typeof duration === 'string' && /^(?:0+(?:h|ms|m|s))+$/.test(duration)
}

function ruleRemarks(raw: unknown, place: string): readonly Fault[] {
  const backendRequest = valueAt(raw, 'timeouts', 'backendRequest')
  return [
    ...(backendRequest === undefined || isZero(backendRequest)
      ? []
      : [remark(`${place}.timeouts.backendRequest`, 'write timeouts.request')]),
    ...listAt(raw, 'filters').flatMap((filter, index) =>
      textAt(filter, 'type') === 'CORS' ? [remark(`${place}.filters[${index}]`, 'pages of other origins are not let in')] : [],
    ),
    ...(valueAt(raw, 'retry') === undefined ? [] : [remark(`${place}.retry`, 'leave it out')]),
    ...(valueAt(raw, 'sessionPersistence') === undefined
      ? []
      : [remark(`${place}.sessionPersistence`, 'MCP sessions stay with their backend without it')]),
  ]
}

function defaultGatewayRemarks(route: KubeObject): readonly Fault[] {
  const scope = valueAt(route, 'spec', 'useDefaultGateways') ?? 'None'
  return scope === 'None' ? [] : [remark('spec.useDefaultGateways', 'name each Gateway in parentRefs')]
}

function remark(place: string, instead: string): Fault {
  return { reason: unsupported, message: `${place} has no effect yet: ${instead}` }
}
