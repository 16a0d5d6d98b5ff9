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

/** What proxies report of MCP servers, added to the statuses of backends and Agents. */
export interface ObservedServers {
  /**
   * The status of a backend with what is known of its servers. Nothing is added where proxies are not asked, or no document has the
   * backend.
   */
  ofBackend(view: BackendView): DesiredStatus
  /** The same of an Agent. */
  ofAgent(view: AgentView): DesiredStatus
}

/** What the proxies of all Gateways whose documents have a backend or agent report of it. */
interface Reported<Report> {
  /** Whether one of these Gateways has a proxy. */
  hasProxies: boolean
  /** Whether the document of one of them changed so recently that its proxies may not have reported yet. */
  isSettling: boolean
  readonly reports: Report[]
}

interface AgentReport {
  readonly tools: number
  /** Whether the proxy is still connecting to a server that the agent selects from. */
  readonly isWaiting: boolean
}

/** One server as the status of a backend has it. */
interface ServerState {
  readonly name: string
  readonly state: ServerReport['state']
  readonly era?: string
  readonly tools: number
  readonly lastError?: string
}

/** A server of a backend, with what is known of it. */
interface Server {
  readonly name: string
  /** Its host and port, for messages. */
  readonly host: string
  readonly known: ServerState | undefined
}

/**
 * Takes the reports of all proxies together. A proxy counts only for what its own Gateway's document has. While a proxy is still connecting
 * to a server, what the backend's status says of that server stays, so that statuses do not change back and forth with each document.
 */
export function createObservedServers(plans: readonly GatewayPlan[], observed: Observations): ObservedServers {
  const backends = new Map<string, Reported<ServerReport>>()
  const agents = new Map<string, Reported<AgentReport>>()
  for (const plan of observed.proxies === undefined ? [] : plans) addReports(plan, observed, backends, agents)
  const servers = new Map<BackendView, readonly Server[]>()
  const serversOf = (view: BackendView): readonly Server[] => {
    const known = servers.get(view) ?? readServers(view, backends.get(view.name))
    servers.set(view, known)
    return known
  }
  return {
    ofBackend(view) {
      const reported = backends.get(view.name)
      if (reported === undefined) return view.status
      const all = serversOf(view)
      const known = all.flatMap((server) => server.known ?? [])
      const ready = known.filter(({ state }) => state === 'ready').length
      const tools = known.reduce((sum, server) => sum + server.tools, 0)
      const more = known.length === 0 ? {} : { ready, tools, servers: known }
      const mcp = { ...(view.status.kind === 'whole' ? rawAt(view.status.status, 'mcp') : {}), ...more }
      return withMore(view.status, { mcp }, readyOf(view.status.object, all, reported))
    },
    ofAgent(view) {
      // Proxies are not asked.
      if (observed.proxies === undefined) return view.status
      const reported = agents.get(view.name)
      const before = numberAt(view.status.object, 'status', 'tools')
      const isKept = reported?.isSettling === true && reported.reports.length === 0
      const counts = isKept ? [before] : reported?.reports.flatMap(({ tools, isWaiting }) => (isWaiting ? [tools, before] : [tools]))
      const known = counts?.filter((count) => count !== undefined) ?? []
      const all = known.length === 0 ? [] : view.backends.flatMap(serversOf)
      return withMore(
        view.status,
        { tools: known.length === 0 ? undefined : Math.max(...known) },
        readyOf(view.status.object, all, reported),
      )
    },
  }
}

function addReports(
  { namespace, name, document, digest }: GatewayPlan,
  observed: Observations,
  backends: Map<string, Reported<ServerReport>>,
  agents: Map<string, Reported<AgentReport>>,
): void {
  if (document === undefined) return
  const key = nameKey({ namespace, name })
  const reports = observed.proxies?.get(key)
  const isNew = isSettling(key, digest, observed)
  const enter = <Report>(all: Map<string, Reported<Report>>, member: 'backends' | 'agents'): void => {
    for (const one of Object.keys(rawAt(document, member))) {
      const reported = all.get(one) ?? { hasProxies: false, isSettling: false, reports: [] }
      reported.hasProxies ||= reports !== undefined
      reported.isSettling ||= isNew
      all.set(one, reported)
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

function readServers(view: BackendView, reported: Reported<ServerReport> | undefined): readonly Server[] {
  const reports = Map.groupBy(reported?.reports ?? [], ({ name }) => name)
  const former = formerStates(view.status.object)
  return Object.entries(rawAt(view.fragment, 'servers')).map(([name, server]) => {
    const host = `${textAt(server, 'http', 'host')}:${numberAt(server, 'http', 'port')}`
    return { name, host, known: merged(name, reports.get(name) ?? [], former(name), reported?.isSettling === true) }
  })
}

/**
 * One state from all reports of a server: it is ready only if it is for all proxies. The former state counts too while a proxy is still
 * connecting, or none has reported yet.
 */
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

/**
 * What a backend's status says of its servers now. A CustomResourceDefinition may not keep the list of servers; then its condition Ready
 * stands for all of them.
 */
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

function readyOf(object: KubeObject, servers: readonly Server[], reported: Reported<unknown> | undefined): Condition | undefined {
  const missing = servers.flatMap(({ name, known }) => (known === undefined || known.state === 'connecting' ? [name] : []))
  const down = servers.filter(({ known }) => known?.state === 'down')
  if (servers.every(({ known }) => known === undefined)) {
    const isExpected = reported?.hasProxies === true || (reported?.isSettling === true && conditionReady(object) !== undefined)
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
