import type { Problem } from '../../config/config.ts'
import { authorizeOf, joinRules, readServerSettings, type ServerSettings, settingsFinding, targetFields } from '../fields/fields.ts'
import { bytesWithin, fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import { type Finding, finding, type ObjectRef, type Observations, type Raw, titleOf, type World } from '../objects/objects.ts'
import type { Policies } from '../policies/policies.ts'
import { serviceRef } from '../services/services.ts'
import type { Candidate } from '../targets/targets.ts'
import { withoutEndpoints } from './backend-endpoints.ts'

/** The servers of a backend. */
export interface ServersReading {
  /** The name and the fragment of each server that can be served, in order. */
  readonly servers: readonly (readonly [name: string, fragment: Raw])[]
  readonly findings: readonly Finding[]
  /** Secrets and ConfigMaps that the targets' own `policies` refer to. */
  readonly wanted: readonly ObjectRef[]
  /** Secrets and ConfigMaps that policies for the servers refer to. */
  readonly waitsFor: readonly ObjectRef[]
}

/** What the servers of a backend are read with. */
export interface ServersContext {
  readonly world: World
  readonly policies: Policies
  readonly observed: Observations
  /** The backend. */
  readonly ref: ObjectRef
  readonly areSecretsRead: boolean
  /** The backend's `ns/name` where policies can target it, else undefined. */
  readonly policyKey: string | undefined
  /** What policies say of the backend as a whole. */
  readonly effect: ServerSettings
  /** What its own `spec.policies` say. */
  readonly own: ServerSettings
}

/** The most bytes of one backend's servers, half of what a document holds. Addresses of pods do not count, as they come and go. */
const maxBytes = 512 * 1024

/**
 * Makes the servers of the document from candidates with their final names. Each field of how a server is reached is taken from the last of
 * these that has it: policies for the backend, for the Service, for the target, the backend's own `policies`, the target's own.
 */
export function readServers(named: readonly Candidate[], context: ServersContext): ServersReading {
  const readings = named.map((candidate) => readServer(candidate, context))
  const all = readings.flatMap(({ servers }) => servers)
  if (bytesWithin(withoutEndpoints({ fragment: { servers: Object.fromEntries(all) } }), maxBytes) > maxBytes) {
    const message = `its servers take more than ${maxBytes / 1024} KiB of a configuration: give them fewer certificates, or make several backends`
    const rest = { wanted: readings.flatMap(({ wanted }) => wanted), waitsFor: readings.flatMap(({ waitsFor }) => waitsFor) }
    return { servers: [], findings: [finding('all', 'Invalid', message)], ...rest }
  }
  // Nearly always nothing is wrong, which one check of all servers together shows.
  const areRight = errorsIn(all).length === 0
  const checked = areRight ? readings : readings.map((reading, index) => withErrors(reading, named[index]))
  return {
    servers: checked.flatMap(({ servers }) => servers),
    findings: checked.flatMap(({ findings }) => findings),
    wanted: checked.flatMap(({ wanted }) => wanted),
    waitsFor: checked.flatMap(({ waitsFor }) => waitsFor),
  }
}

function readServer(candidate: Candidate, context: ServersContext): ServersReading {
  const { world, observed, policies, ref, areSecretsRead, policyKey, effect, own } = context
  const { name, target, service, others, places } = candidate
  const effects = [
    ...(service === undefined ? [] : [policies.at({ kind: 'service', key: service })]),
    ...(policyKey === undefined ? [] : [policies.at({ kind: 'backend', key: policyKey, target })]),
  ]
  const closed = [...effects.flatMap((one) => one.closed ?? []), ...others.flatMap((key) => unsettled(key, policies))]
  const inline =
    candidate.policies === undefined
      ? undefined
      : readServerSettings(candidate.policies, ref.namespace, { world, observed, areSecretsRead, place: places.policies }, targetFields)
  const ungranted = service === undefined ? undefined : grantFor(service, context)
  const faults = [
    ...closed.map((why) => finding('part', 'Unsupported', `${places.whole}: ${why}`)),
    ...(ungranted === undefined ? [] : [finding('part', 'RefNotPermitted', `${places.whole}: ${ungranted}`)]),
    ...(inline?.faults ?? []).map((one) => settingsFinding(one, 'part')),
  ]
  const wanted = inline?.wanted ?? []
  const behind = others.map((key) => policies.at({ kind: 'service', key }))
  const waitsFor = [...effects, ...behind].flatMap((one) => one.wanted ?? [])
  const isClosed = closed.length > 0 || ungranted !== undefined || inline?.faults.some(({ closes }) => closes) === true
  if (isClosed) return { servers: [], findings: faults, wanted, waitsFor }
  const settings = Object.assign({}, effect, ...effects.map((one) => one.server), own, inline?.settings)
  const authorize = authorizeOf(joinRules(effects.map(({ itemRules }) => itemRules)))
  return { servers: [[name, fragmentOf(candidate.http, settings, authorize)]], findings: faults, wanted, waitsFor }
}

/**
 * Why policies for a Service of another namespace may not be used for this backend; undefined where they may. They can have credentials, so
 * a ReferenceGrant must allow it.
 */
function grantFor(service: string, { world, policies, ref }: ServersContext): string | undefined {
  const to = serviceRef(service)
  if (world.isAllowed(ref, to) || Object.keys(policies.at({ kind: 'service', key: service }).server).length === 0) return undefined
  const grant = `a ReferenceGrant in ${to.namespace} from ${ref.kind} (${ref.group}) of ${ref.namespace} to Service`
  return `policies of Service ${service} say how it is called, and they are not for ${titleOf(ref)}: create ${grant}`
}

/**
 * Why a server can't be served that may lead to this Service or to another one: policies for the Service can be neither ignored nor
 * applied.
 */
function unsettled(service: string, policies: Policies): readonly string[] {
  const { closed, server } = policies.at({ kind: 'service', key: service })
  if (closed !== undefined) return [closed]
  if (Object.keys(server).length === 0) return []
  return [`it may lead to Service ${service}, for which there are policies: write the whole name of what is meant, or end it with a dot`]
}

function fragmentOf(http: Raw, { tls, credentials, connectTimeout, requestTimeout }: ServerSettings, authorize: Raw | undefined): Raw {
  const timeouts = {
    ...(connectTimeout === undefined ? {} : { connect: connectTimeout }),
    ...(requestTimeout === undefined ? {} : { request: requestTimeout }),
  }
  return {
    http: { ...http, ...(tls === undefined ? {} : { tls }) },
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(authorize === undefined ? {} : { policies: { authorize } }),
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
