import {
  backendFields,
  closingFirst,
  type IdentityContext,
  type IdentityReading,
  leftOut,
  type PolicyFault,
  policyFields,
  type RuleSet,
  readApiKeys,
  readMcp,
  readRules,
  readServerSettings,
  readTimeout,
  readTokens,
  targetFields,
} from '../fields/fields.ts'
import { type Fault, type KubeObject, type ObjectRef, rawAt, valueAt } from '../objects/objects.ts'
import type { PolicyEffect } from './policy-effect.ts'
import type { PolicyTarget, PolicyTargets, TargetContext, TargetKind } from './policy-targets.ts'

/** One policy. */
export interface PolicyReading {
  readonly object: KubeObject
  readonly targets: readonly PolicyTarget[]
  /** Targets of kinds that are not served, and those that name or select nothing. */
  readonly unserved: readonly Fault[]
  /** What it says for its targets of a kind: the fields that count depend on the kind. */
  says(kind: TargetKind): PolicySaying
}

/** What a policy says for targets of one kind. */
export interface PolicySaying {
  readonly faults: readonly PolicyFault[]
  readonly claims: readonly Claim[]
  /** Its rules, which add up with those of other policies. */
  readonly requestRules?: RuleSet | undefined
  readonly itemRules?: RuleSet | undefined
  readonly wanted: readonly ObjectRef[]
}

/** A field that is put in force as a whole: where several policies for one place have it, only one of them counts. */
export interface Claim {
  /** Such as `spec.backend.tls`. */
  readonly field: string
  readonly effect: Partial<Pick<PolicyEffect, 'requestTimeout' | 'server' | 'tokens' | 'keys' | 'login'>>
}

/** What policies are read with. */
export type ReadingContext = TargetContext & Pick<IdentityContext, 'world' | 'observed' | 'services' | 'policed'>

/** Reads what one policy says for each kind of its targets. */
export function readPolicy(object: KubeObject, { targets, unserved }: PolicyTargets, context: ReadingContext): PolicyReading {
  const areSecretsRead = targets.some((target) => isServed(target, context))
  const from: IdentityContext = { ...context, areSecretsRead, kind: 'AgentgatewayPolicy' }
  const known = new Map([...new Set(targets.map(({ kind }) => kind))].map((kind) => [kind, saying(kind, object, from)]))
  return { object, targets: targets.map((one) => withPartFault(one, object)), unserved, says: (kind) => known.get(kind) ?? nothing }
}

/** Whether requests through our Gateways reach a target. Only then are Secrets of its policies read. */
function isServed({ kind, ref, places }: PolicyTarget, { uses, routes }: TargetContext): boolean {
  if (kind === 'Gateway') return places.length > 0
  if (kind !== 'HTTPRoute') return uses.isServing(ref)
  const route = routes.get(`${ref.namespace}/${ref.name}`)
  return route?.parents.some(({ faults }) => faults.length === 0) === true
}

/** Adds the fault of a policy that asks for authentication and targets a part of a backend: callers authenticate once for a backend. */
function withPartFault(target: PolicyTarget, object: KubeObject): PolicyTarget {
  const isOfPart = target.places.some((place) => place.kind === 'backend' && place.target !== undefined)
  if (!isOfPart || valueAt(object, 'spec', 'backend', 'mcp', 'authentication') === undefined) return target
  const message = 'spec.backend.mcp.authentication holds for a whole AgentgatewayBackend: leave sectionName out'
  return { ...target, faults: [...target.faults, { reason: 'Invalid', message, closes: true }] }
}

const nothing: PolicySaying = { faults: [], claims: [], wanted: [] }

function saying(kind: TargetKind, object: KubeObject, from: IdentityContext): PolicySaying {
  return kind === 'Gateway' || kind === 'HTTPRoute' ? sayingOfRequests(kind, object, from) : sayingOfServers(kind, object, from)
}

function sayingOfRequests(kind: 'Gateway' | 'HTTPRoute', object: KubeObject, from: IdentityContext): PolicySaying {
  const spec = rawAt(object, 'spec')
  const namespace = object.metadata.namespace ?? ''
  const timeouts = valueAt(spec, 'traffic', 'timeouts')
  const request = readTimeout(timeouts, 'request', 'spec.traffic.timeouts')
  const claims: Claim[] =
    timeouts === undefined
      ? []
      : [{ field: 'spec.traffic.timeouts', effect: request.timeout === undefined ? {} : { requestTimeout: request.timeout } }]
  const tokens = readTokens(valueAt(spec, 'traffic', 'jwtAuthentication'), namespace, 'spec.traffic.jwtAuthentication', from)
  const keys = readApiKeys(valueAt(spec, 'traffic', 'apiKeyAuthentication'), namespace, 'spec.traffic.apiKeyAuthentication', from)
  const requestRules = readRules(valueAt(spec, 'traffic', 'authorization'), 'request', 'spec.traffic.authorization')
  const itemRules = readRules(valueAt(spec, 'backend', 'mcp', 'authorization'), 'item', 'spec.backend.mcp.authorization')
  return {
    faults: closingFirst([
      ...leftOut(spec, policyFields[kind], 'spec'),
      ...bothFaults(spec),
      ...request.faults,
      ...tokens.faults,
      ...keys.faults,
      ...requestRules.faults,
      ...itemRules.faults,
    ]),
    claims: [
      ...claims,
      ...identityClaim('spec.traffic.jwtAuthentication', 'tokens', tokens),
      ...identityClaim('spec.traffic.apiKeyAuthentication', 'keys', keys),
    ],
    requestRules: requestRules.rules,
    itemRules: itemRules.rules,
    wanted: keys.wanted,
  }
}

/** The fault of a policy that asks for tokens and for API keys: it needs both, while a document with both takes either. */
function bothFaults(spec: unknown): readonly PolicyFault[] {
  const [token, key] = [valueAt(spec, 'traffic', 'jwtAuthentication'), valueAt(spec, 'traffic', 'apiKeyAuthentication')]
  if (token === undefined || key === undefined) return []
  const message = 'spec.traffic asks for both jwtAuthentication and apiKeyAuthentication, which mcplex does not do: keep one of them'
  return [{ reason: 'Unsupported', message, closes: true }]
}

function identityClaim(field: string, member: 'tokens' | 'keys', { identity }: IdentityReading): readonly Claim[] {
  return identity === undefined ? [] : [{ field, effect: { [member]: identity } }]
}

function sayingOfServers(kind: 'AgentgatewayBackend' | 'Service', object: KubeObject, from: IdentityContext): PolicySaying {
  const spec = rawAt(object, 'spec')
  const namespace = object.metadata.namespace ?? ''
  const backend = valueAt(spec, 'backend')
  const place = 'spec.backend'
  const fields = kind === 'Service' ? targetFields : backendFields
  const reading = readServerSettings(backend, namespace, { ...from, place }, fields)
  const mcp = readMcp(kind === 'Service' ? undefined : valueAt(backend, 'mcp'), namespace, `${place}.mcp`, from)
  const { tls, credentials, connectTimeout, requestTimeout } = reading.settings
  const settings = {
    tls: tls === undefined ? {} : { tls },
    auth: credentials === undefined ? {} : { credentials },
    tcp: connectTimeout === undefined ? {} : { connectTimeout },
    http: requestTimeout === undefined ? {} : { requestTimeout },
  }
  const claims: Claim[] = Object.entries(settings).flatMap(([name, server]) =>
    valueAt(backend, name) === undefined ? [] : [{ field: `${place}.${name}`, effect: { server } }],
  )
  if (mcp.login !== undefined) claims.push({ field: `${place}.mcp.authentication`, effect: { login: mcp.login } })
  return {
    faults: closingFirst([...leftOut(spec, policyFields[kind], 'spec'), ...reading.faults, ...mcp.faults]),
    claims,
    itemRules: mcp.itemRules,
    wanted: reading.wanted,
  }
}
