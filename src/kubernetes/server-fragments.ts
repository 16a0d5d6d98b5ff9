import type { Problem } from '../config/config.ts'
import { type Finding, finding } from './finding.ts'
import { fragmentErrors, sentenceOf } from './fragment-errors.ts'
import type { ObjectRef, Observations, Raw } from './model.ts'
import { readServerSettings } from './server-settings.ts'
import type { Candidate } from './targets.ts'
import type { Policies, ServerSettings } from './views.ts'
import type { World } from './world.ts'

export interface ServersReading {
  /** Name and fragment of each server that can be served, in order. */
  readonly servers: readonly (readonly [name: string, fragment: Raw])[]
  readonly findings: readonly Finding[]
  readonly wanted: readonly ObjectRef[]
}

export interface ServersContext {
  readonly world: World
  readonly policies: Policies
  readonly observed: Observations
  readonly namespace: string
  /** `ns/name` where policies can name the backend. */
  readonly policyKey: string | undefined
  /** What policies say of the backend as a whole. */
  readonly effect: ServerSettings
  /** What its own `spec.policies` say. */
  readonly own: ServerSettings
}

/**
 * The servers of a document for candidates whose names are settled. How each is reached is said, field by field, by the last that says it:
 * policies of the backend, of the Service, of the target, the backend's own `policies`, the target's own.
 */
export function readServers(named: readonly Candidate[], context: ServersContext): ServersReading {
  const readings = named.map((candidate) => readServer(candidate, context))
  // Nearly always nothing is wrong: one look at all of them says so.
  const areRight = errorsIn(readings.flatMap(({ servers }) => servers)).length === 0
  const checked = areRight ? readings : readings.map((reading, index) => withErrors(reading, named[index]))
  return {
    servers: checked.flatMap(({ servers }) => servers),
    findings: checked.flatMap(({ findings }) => findings),
    wanted: checked.flatMap(({ wanted }) => wanted),
  }
}

function readServer(candidate: Candidate, context: ServersContext): ServersReading {
  const { world, observed, policies, namespace, policyKey, effect, own } = context
  const { name, target, service, places } = candidate
  const effects = [
    ...(service === undefined ? [] : [policies.at({ kind: 'service', key: service })]),
    ...(policyKey === undefined ? [] : [policies.at({ kind: 'backend', key: policyKey, target })]),
  ]
  const inline =
    candidate.policies === undefined
      ? undefined
      : readServerSettings(candidate.policies, namespace, { world, observed, place: places.policies })
  const faults = [
    ...effects.flatMap(({ closed }) => (closed === undefined ? [] : [finding('part', 'Unsupported', `${places.whole}: ${closed}`)])),
    ...(inline?.faults ?? []).map(({ reason, message }) => finding('part', reason, message)),
  ]
  const wanted = inline?.wanted ?? []
  const isClosed = effects.some(({ closed }) => closed !== undefined) || inline?.faults.some(({ closes }) => closes) === true
  if (isClosed) return { servers: [], findings: faults, wanted }
  const settings = Object.assign({}, effect, ...effects.map((one) => one.server), own, inline?.settings)
  return { servers: [[name, fragmentOf(candidate.http, settings)]], findings: faults, wanted }
}

function fragmentOf(http: Raw, { tls, credentials, connectTimeout, requestTimeout }: ServerSettings): Raw {
  const timeouts = {
    ...(connectTimeout === undefined ? {} : { connect: connectTimeout }),
    ...(requestTimeout === undefined ? {} : { request: requestTimeout }),
  }
  return {
    http: { ...http, ...(tls === undefined ? {} : { tls }) },
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(credentials === undefined ? {} : { credentials }),
  }
}

const parts = { '.http.host': 'host', '.http.port': 'port', '.http.path': 'path', '': 'name' } as const satisfies Record<
  string,
  keyof Candidate['places']
>

function withErrors(reading: ServersReading, candidate: Candidate | undefined): ServersReading {
  const errors = errorsIn(reading.servers)
  if (errors.length === 0 || candidate === undefined) return reading
  const { places } = candidate
  const findings = errors.map((problem) => {
    const path = problem.path.replace(/^backends\.backend\.servers\.(?:[-\w]+|"(?:[^"\\]|\\.)*")/, '')
    const part = Object.hasOwn(parts, path) ? parts[path as keyof typeof parts] : undefined
    const place = part === undefined ? `${places.whole}, as policies have it (${path.slice(1)})` : places[part]
    return finding('part', 'Invalid', `${place}: ${sentenceOf(problem)}`)
  })
  return { ...reading, servers: [], findings: [...reading.findings, ...findings] }
}

function errorsIn(servers: ServersReading['servers']): readonly Problem[] {
  return servers.length === 0 ? [] : fragmentErrors({ backends: { backend: { servers: Object.fromEntries(servers) } } })
}
