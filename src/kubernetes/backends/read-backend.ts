import { authorizeOf, joinRules, readMcp, readServerSettings, type ServerSettings, settingsFinding } from '../fields/fields.ts'
import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import {
  type Finding,
  finding,
  judgeFindings,
  type KubeObject,
  listAt,
  nameKey,
  type ObjectRef,
  type Observations,
  type Raw,
  rawAt,
  refOf,
  unknownFields,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { Policies, PolicyEffect } from '../policies/policies.ts'
import type { Uses } from '../targets/targets.ts'
import type { BackendView } from './backend-view.ts'
import { readServers } from './server-fragments.ts'
import { nameServers } from './server-names.ts'

/** One backend. */
export interface BackendReading {
  readonly view: BackendView
  /** Secrets and ConfigMaps that it refers to itself. */
  readonly wanted: readonly ObjectRef[]
}

/** What backends are read with. */
export interface BackendContext {
  readonly world: World
  readonly uses: Uses
  readonly policies: Policies
  readonly observed: Observations
}

/**
 * Reads one backend as a document has it under this name, and its status. A backend that nothing of ours leads to gets no servers in the
 * document, as its Secrets are not read.
 */
export function readBackend(object: KubeObject, name: string, context: BackendContext): BackendReading {
  const ref = refOf(object)
  const mcp = rawAt(object, 'spec', 'mcp')
  // AgentgatewayPolicies can't target a kgateway Backend, only an AgentgatewayBackend of the same name.
  const policyKey = ref.kind === 'AgentgatewayBackend' ? nameKey(ref) : undefined
  const effect = policyKey === undefined ? undefined : context.policies.at({ kind: 'backend', key: policyKey })
  const own = readOwnSettings(object, context)
  const modes = readModes(mcp)
  const targets = context.uses.targetsOf(object)
  const { named, renamed, findings: namings } = nameServers(targets.candidates, targets.staticNames, ref.namespace)
  const isServing = context.uses.isServing(ref)
  const ofBackend = { ...context, ref, areSecretsRead: isServing, policyKey, effect: effect?.server ?? {}, own: own.settings }
  const { servers, findings: faults, wanted, waitsFor } = readServers(named, ofBackend)
  // Names of tools do not change while some of the servers are left out.
  const isAlone = targets.candidates.length + targets.findings.filter(({ costs }) => costs === 'part').length <= 1
  const prefix = modes.prefix === 'conditional' && servers.length === 1 && !isAlone ? 'always' : modes.prefix
  const guard = guardOf(own, effect, context.uses.isSelected(ref))
  const fragment = {
    servers: Object.fromEntries(isServing ? servers : []),
    prefix,
    ...(modes.failure === undefined ? {} : { failure: modes.failure }),
    ...guard.fragment,
  }
  const findings = [
    ...unknownFields(valueAt(object, 'spec'), ['type', 'mcp', 'policies'], 'spec', 'all'),
    ...unknownFields(mcp, ['name', 'targets', 'sessionRouting', 'failureMode', 'prefixMode'], 'spec.mcp', 'all'),
    ...(effect?.closed === undefined ? [] : [finding('all', 'Unsupported', effect.closed)]),
    ...own.findings,
    ...modes.findings,
    ...(listAt(mcp, 'targets').length === 0
      ? [finding('all', 'Invalid', 'spec.mcp.targets lists nothing: write at least one target')]
      : []),
    ...targets.findings,
    ...namings,
    ...faults,
    ...fragmentErrors({ backends: { [name]: { servers: {}, ...guard.fragment } } }).map((problem) =>
      finding('all', 'Invalid', sentenceOf(problem)),
    ),
  ]
  const { conditions, unusable } = judgeFindings(object, findings, serversServed(servers.length))
  return {
    view: {
      ref,
      name,
      fragment: unusable === undefined ? fragment : undefined,
      servers: [...new Set([...targets.staticNames, ...named.map((candidate) => candidate.name)])],
      renamed,
      unusable,
      authenticate: guard.authenticate,
      allow: guard.allow,
      wanted: [...own.wanted, ...wanted, ...(effect?.wanted ?? []), ...waitsFor],
      status: { kind: 'whole', object, status: { conditions, mcp: { targets: unusable === undefined ? servers.length : 0 } } },
    },
    wanted: [...own.wanted, ...wanted],
  }
}

/** What a status says of this number of servers; undefined for none. */
export function serversServed(count: number): string | undefined {
  if (count === 0) return undefined
  return count === 1 ? 'serves 1 server' : `serves ${count} servers`
}

type OwnReading = Pick<PolicyEffect, 'itemRules' | 'login'> & {
  readonly settings: ServerSettings
  readonly findings: readonly Finding[]
  readonly wanted: readonly ObjectRef[]
}

function readOwnSettings(object: KubeObject, { world, observed, uses, policies }: BackendContext): OwnReading {
  const raw = valueAt(object, 'spec', 'policies')
  if (raw === undefined) return { settings: {}, findings: [], wanted: [] }
  const { namespace } = refOf(object)
  const from = { world, observed, areSecretsRead: uses.isServing(refOf(object)), place: 'spec.policies' }
  const { settings, faults, wanted } = readServerSettings(raw, namespace, from)
  const identity = { ...from, services: uses.services, policed: policies.policed, kind: 'AgentgatewayBackend' } as const
  const { itemRules, login, faults: more } = readMcp(valueAt(raw, 'mcp'), namespace, 'spec.policies.mcp', identity)
  return {
    settings,
    ...(itemRules === undefined ? {} : { itemRules }),
    ...(login === undefined ? {} : { login }),
    findings: [...faults, ...more].map((one) => settingsFinding(one, 'all')),
    wanted,
  }
}

/**
 * Who may call the backend, and what of it. Its own `authentication` goes before that of policies; rules add up. Rules under `allow` are left
 * to the rules of routes that lead here, which join them with their own, unless Agents select from the backend.
 */
function guardOf(
  own: OwnReading,
  effect: PolicyEffect | undefined,
  isSelected: boolean,
): Pick<BackendView, 'authenticate' | 'allow'> & { readonly fragment: Raw } {
  const rules = joinRules([own.itemRules, effect?.itemRules])
  const authenticate = own.login ?? effect?.login
  const authorize = authorizeOf(isSelected ? rules : { ...rules, allow: [] })
  const policies = { ...(authenticate === undefined ? {} : { authenticate }), ...(authorize === undefined ? {} : { authorize }) }
  return {
    authenticate,
    allow: isSelected ? [] : rules.allow,
    fragment: Object.keys(policies).length === 0 ? {} : { policies },
  }
}

interface Modes {
  readonly prefix: string
  /** Absent means `open`. */
  readonly failure?: string
  readonly findings: readonly Finding[]
}

const modes = {
  prefixMode: { Conditional: 'conditional', Always: 'always', Never: 'never' },
  failureMode: { FailOpen: 'open', FailClosed: 'closed' },
  sessionRouting: { Stateful: 'stateful', Stateless: 'stateless' },
} as const satisfies Record<string, Readonly<Record<string, string>>>

function readModes(mcp: Raw): Modes {
  const findings: Finding[] = []
  const read = (field: keyof typeof modes): string | undefined => {
    const words: Readonly<Record<string, string>> = modes[field]
    const written = valueAt(mcp, field)
    if (written === undefined || written === '') return undefined
    if (typeof written === 'string' && Object.hasOwn(words, written)) return words[written]
    findings.push(finding('all', 'Invalid', `spec.mcp.${field} is not known: write one of ${Object.keys(words).join(', ')}`))
    return undefined
  }
  const [prefix = 'conditional', failure, routing] = [read('prefixMode'), read('failureMode'), read('sessionRouting')]
  if (routing === 'stateless') {
    const message = 'spec.mcp.sessionRouting: Stateless is not supported yet, so sessions stay with their servers: leave it out'
    findings.push(finding('part', 'Unsupported', message))
  }
  return { prefix, ...(failure === 'closed' ? { failure } : {}), findings }
}
