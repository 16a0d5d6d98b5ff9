import type { AgentView } from '../agents/agents.ts'
import type { BackendView } from '../backends/backends.ts'
import { isAgentOf, isServerOf } from '../fragments/fragments.ts'
import {
  type Condition,
  conditionsOf,
  type DesiredStatus,
  isFalse,
  isTrue,
  joined,
  type KubeObject,
  listAt,
  nameKey,
  numberAt,
  type Observations,
  type Raw,
  rawAt,
  type ServerReport,
  textAt,
} from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { isSettling } from './serving.ts'

/** What proxies have found out about servers, as statuses tell of it. */
export interface ObservedServers {
  /** The status of a backend, and what is known of its servers: nothing more where nobody is asked, or nothing leads there. */
  ofBackend(view: BackendView): DesiredStatus
  ofAgent(view: AgentView): DesiredStatus
}

/** What proxies say of one backend or agent, those of all Gateways whose documents name it. */
interface Told<Report> {
  /** One of these Gateways has a proxy. */
  hasProxies: boolean
  /** One of them has hardly had the time to say anything. */
  isSettling: boolean
  readonly reports: Report[]
}

interface AgentReport {
  readonly tools: number
  /** A server that it selects from is not known yet. */
  readonly isWaiting: boolean
}

/** One server as a status tells of it. */
interface ServerState {
  readonly name: string
  readonly state: ServerReport['state']
  readonly era?: string
  readonly tools: number
  readonly lastError?: string
}

/** A server that a backend stands for, with what is known of it. */
interface Server {
  readonly name: string
  /** Where it is looked for. */
  readonly host: string
  readonly known: ServerState | undefined
}

/**
 * A proxy can tell only of what its own Gateway's document names. A server that is only just being connected to is what the object's
 * status says it was, so that statuses don't turn with each change of a document.
 */
export function createObservedServers(plans: readonly GatewayPlan[], observed: Observations): ObservedServers {
  const backends = new Map<string, Told<ServerReport>>()
  const agents = new Map<string, Told<AgentReport>>()
  for (const plan of observed.proxies === undefined ? [] : plans) tellOf(plan, observed, backends, agents)
  const servers = new Map<BackendView, readonly Server[]>()
  const serversOf = (view: BackendView): readonly Server[] => {
    const known = servers.get(view) ?? readServers(view, backends.get(view.name))
    servers.set(view, known)
    return known
  }
  return {
    ofBackend(view) {
      const told = backends.get(view.name)
      if (told === undefined) return view.status
      const all = serversOf(view)
      const known = all.flatMap((server) => server.known ?? [])
      const ready = known.filter(({ state }) => state === 'ready').length
      const tools = known.reduce((sum, server) => sum + server.tools, 0)
      const more = known.length === 0 ? {} : { ready, tools, servers: known }
      const mcp = { ...(view.status.kind === 'whole' ? rawAt(view.status.status, 'mcp') : {}), ...more }
      return withMore(view.status, { mcp }, readyOf(view.status.object, all, told))
    },
    ofAgent(view) {
      // Nobody asks.
      if (observed.proxies === undefined) return view.status
      const told = agents.get(view.name)
      const before = numberAt(view.status.object, 'status', 'tools')
      const isKept = told?.isSettling === true && told.reports.length === 0
      const counts = isKept ? [before] : told?.reports.flatMap(({ tools, isWaiting }) => (isWaiting ? [tools, before] : [tools]))
      const known = counts?.filter((count) => count !== undefined) ?? []
      const all = known.length === 0 ? [] : view.backends.flatMap(serversOf)
      return withMore(view.status, { tools: known.length === 0 ? undefined : Math.max(...known) }, readyOf(view.status.object, all, told))
    },
  }
}

function tellOf(
  { namespace, name, document, digest }: GatewayPlan,
  observed: Observations,
  backends: Map<string, Told<ServerReport>>,
  agents: Map<string, Told<AgentReport>>,
): void {
  if (document === undefined) return
  const key = nameKey({ namespace, name })
  const reports = observed.proxies?.get(key)
  const isNew = isSettling(key, digest, observed)
  const enter = <Report>(all: Map<string, Told<Report>>, member: 'backends' | 'agents'): void => {
    for (const one of Object.keys(rawAt(document, member))) {
      const told = all.get(one) ?? { hasProxies: false, isSettling: false, reports: [] }
      told.hasProxies ||= reports !== undefined
      told.isSettling ||= isNew
      all.set(one, told)
    }
  }
  enter(backends, 'backends')
  enter(agents, 'agents')
  for (const report of reports ?? []) {
    const servers = report.servers.filter((one) => isServerOf(document, one.backend, one.name))
    for (const server of servers) backends.get(server.backend)?.reports.push(server)
    const waiting = new Set<unknown>(servers.flatMap(({ backend, state }) => (state === 'connecting' ? [backend] : [])))
    for (const agent of report.agents.filter((one) => isAgentOf(document, one.name))) {
      const isWaiting = listAt(document, 'agents', agent.name, 'from').some((backend) => waiting.has(backend))
      agents.get(agent.name)?.reports.push({ tools: agent.tools, isWaiting })
    }
  }
}

function readServers(view: BackendView, told: Told<ServerReport> | undefined): readonly Server[] {
  const reports = Map.groupBy(told?.reports ?? [], ({ name }) => name)
  const former = formerStates(view.status.object)
  return Object.entries(rawAt(view.fragment, 'servers')).map(([name, server]) => {
    const host = `${textAt(server, 'http', 'host')}:${numberAt(server, 'http', 'port')}`
    return { name, host, known: merged(name, reports.get(name) ?? [], former(name), told?.isSettling === true) }
  })
}

/** Ready is what is ready for all. What was known before counts while a proxy doesn't know yet, or none has had the time to report. */
function merged(
  name: string,
  reports: readonly ServerReport[],
  former: ServerState | undefined,
  isSettling: boolean,
): ServerState | undefined {
  const settled = reports.filter(({ state }) => state !== 'connecting')
  const isWaiting = reports.length === 0 ? isSettling : settled.length < reports.length
  const known = isWaiting && former !== undefined ? [...settled, former] : settled
  if (known.length === 0) return reports.length === 0 ? undefined : { name, state: 'connecting', tools: 0 }
  const era = known.find((one) => one.era !== undefined)?.era
  const lastError = known.find((one) => one.lastError !== undefined && one.state === 'down')?.lastError
  return {
    name,
    state: known.every(({ state }) => state === 'ready') ? 'ready' : 'down',
    ...(era === undefined ? {} : { era }),
    tools: Math.max(...known.map(({ tools }) => tools)),
    ...(lastError === undefined ? {} : { lastError }),
  }
}

/** What the object's status says of its servers; where a definition keeps no such thing, what its condition says of all. */
function formerStates(object: KubeObject): (name: string) => ServerState | undefined {
  const entries = listAt(object, 'status', 'mcp', 'servers')
  const isReady = textAt(conditionReady(object), 'status') === 'True'
  const byName = new Map(
    entries.flatMap((entry): [string, ServerState][] => {
      const [name, state, era, lastError] = ['name', 'state', 'era', 'lastError'].map((member) => textAt(entry, member))
      if (name === undefined || (state !== 'ready' && state !== 'down')) return []
      const more = { ...(era === undefined ? {} : { era }), ...(lastError === undefined ? {} : { lastError }) }
      return [[name, { name, state, tools: numberAt(entry, 'tools') ?? 0, ...more }]]
    }),
  )
  return (name) => byName.get(name) ?? (entries.length === 0 && isReady ? { name, state: 'ready', tools: 0 } : undefined)
}

function conditionReady(object: KubeObject): unknown {
  return listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready')
}

function readyOf(object: KubeObject, servers: readonly Server[], told: Told<unknown> | undefined): Condition | undefined {
  const missing = servers.flatMap(({ name, known }) => (known === undefined || known.state === 'connecting' ? [name] : []))
  const down = servers.filter(({ known }) => known?.state === 'down')
  if (servers.every(({ known }) => known === undefined)) {
    const isExpected = told?.hasProxies === true || (told?.isSettling === true && conditionReady(object) !== undefined)
    return isExpected ? unknown('no proxy has reported yet') : undefined
  }
  if (down.length > 0) {
    const each = down.map(({ name, host, known }) => `${name} (${host}): ${known?.lastError ?? 'it does not answer'}`)
    const remedy = 'Look at their pods and Services, and at host, port and path of the targets'
    return isFalse('Ready', 'ServersDown', `${countOf(down.length, servers.length)} down: ${joined(each)}. ${remedy}`)
  }
  if (missing.length > 0) return unknown(`no proxy has reported yet whether ${joined(missing)} can be reached`)
  return isTrue('Ready', 'ServersReady', servers.length === 1 ? 'its server answers' : `all ${servers.length} servers answer`)
}

function unknown(message: string): Condition {
  return { type: 'Ready', status: 'Unknown', reason: 'NoReport', message }
}

function countOf(part: number, all: number): string {
  return `${part} of ${all} ${all === 1 ? 'server' : 'servers'} ${part === 1 ? 'is' : 'are'}`
}

function withMore(desired: DesiredStatus, members: Raw, ready: Condition | undefined): DesiredStatus {
  if (desired.kind !== 'whole') return desired
  const { object, status } = desired
  const conditions = [...listAt(status, 'conditions'), ...(ready === undefined ? [] : conditionsOf(object, [ready]))]
  return { ...desired, status: { ...status, ...members, conditions } }
}
