import type { Problem } from '../config/config.ts'
import { faultOf, fragmentErrors } from './fragment-errors.ts'
import { ipFaults } from './hostnames.ts'
import type { Fault, KubeObject, Raw } from './model.ts'
import { isRaw, listAt, textAt, valueAt } from './raw.ts'
import { filterFaults, readBackendRefs } from './route-backend-refs.ts'
import { matchesOf, withoutRepeats } from './route-matches.ts'
import { shallow, shallowMembers } from './shallow.ts'
import { unknownMembers } from './unknown-members.ts'
import type { RuleView } from './views.ts'

export interface RouteContent {
  /** Lower case; empty: any. */
  readonly hostnames: readonly string[]
  readonly rules: readonly RuleView[]
  /** Why none of it can be served: what decides which requests are its own can't be carried. */
  readonly faults: readonly Fault[]
  readonly remarks: readonly Fault[]
}

const unsupported = 'UnsupportedValue'

/** What an HTTPRoute says beside its parents. Gateway API, HTTPRouteSpec. */
export function readContent(route: KubeObject): RouteContent {
  const written = valueAt(route, 'spec', 'rules') ?? [{}]
  const hostnames = valueAt(route, 'spec', 'hostnames') ?? []
  const problems = fragmentErrors({
    routes: [
      {
        name: 'route',
        hostnames: Array.isArray(hostnames) ? hostnames.map(lowered) : shallow(hostnames),
        rules: Array.isArray(written) ? written.map(ruleOf) : shallow(written),
      },
    ],
  }).map((problem) => ({ ...problem, path: problem.path.replace(/^routes\[0\]/, 'spec') }))
  const faults = [
    ...problems.filter(({ path }) => ruleWithTimeouts(path) === undefined).map(asFault),
    ...listAt(hostnames).flatMap((name, index) => ipFaults(name, `spec.hostnames[${index}]`, unsupported)),
    ...unknownMembers(valueAt(route, 'spec'), ['parentRefs', 'hostnames', 'rules', 'useDefaultGateways']).map((name) => ({
      reason: unsupported,
      message: `spec.${name} is not known to this version of mcplex: leave it out`,
    })),
  ]
  const list = Array.isArray(written) ? written : []
  const isCarried = faults.length === 0
  return {
    hostnames: isCarried
      ? listAt(hostnames)
          .map(lowered)
          .filter((name) => typeof name === 'string')
      : [],
    rules: list.flatMap((raw, index) => (isRaw(raw) ? [readRule(raw, `spec.rules[${index}]`, route, problems, isCarried)] : [])),
    faults,
    remarks: [...defaultGatewayRemarks(route), ...list.flatMap((raw, index) => ruleRemarks(raw, `spec.rules[${index}]`))],
  }
}

function lowered(name: unknown): unknown {
  return typeof name === 'string' ? name.toLowerCase() : shallow(name)
}

/** The rule as a document has it, as far as `fragmentErrors` looks at it. */
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

function ruleWithTimeouts(path: string): string | undefined {
  return /^(spec\.rules\[\d+\])\.timeouts/.exec(path)?.[1]
}

function asFault(problem: Problem): Fault {
  return faultOf(problem, problem.path, unsupported)
}

function readRule(raw: Raw, place: string, route: KubeObject, problems: readonly Problem[], isCarried: boolean): RuleView {
  const timeoutFaults = problems.filter(({ path }) => ruleWithTimeouts(path) === place).map(asFault)
  const refs = readBackendRefs(raw, place, route)
  const request = textAt(raw, 'timeouts', 'request')
  return {
    place,
    name: textAt(raw, 'name'),
    matches: isCarried ? listAt(matchesOf(raw)).filter(isRaw).map(withoutRepeats) : [],
    timeouts: request === undefined || timeoutFaults.length > 0 ? {} : { request },
    backendRefs: refs.views,
    faults: [
      ...filterFaults(raw, place),
      ...timeoutFaults,
      ...refs.faults,
      ...unknownMembers(raw, ['name', 'matches', 'filters', 'backendRefs', 'timeouts', 'retry', 'sessionPersistence']).map((name) => ({
        reason: unsupported,
        message: `${place}.${name} is not known to this version of mcplex: leave it out`,
      })),
    ],
  }
}

/** No limit (Gateway API, HTTPRouteTimeouts). */
export function isZero(duration: unknown): boolean {
  return typeof duration === 'string' && /^(?:0+(?:h|ms|m|s))+$/.test(duration)
}

function ruleRemarks(raw: unknown, place: string): readonly Fault[] {
  const backendRequest = valueAt(raw, 'timeouts', 'backendRequest')
  return [
    ...(backendRequest === undefined || isZero(backendRequest)
      ? []
      : [remark(`${place}.timeouts.backendRequest`, 'write timeouts.request')]),
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
