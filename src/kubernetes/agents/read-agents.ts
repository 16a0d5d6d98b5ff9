import { type Backends, type BackendView, serversServed } from '../backends/backends.ts'
import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import {
  type Finding,
  finding,
  judgeFindings,
  type KubeObject,
  listAt,
  nameKey,
  type ObjectRef,
  type Raw,
  rawAt,
  refKey,
  refOf,
  textAt,
  titleOf,
  unknownFields,
  valueAt,
  type World,
} from '../objects/objects.ts'
import type { AgentView } from './agent-view.ts'
import { strayPatterns } from './stray-patterns.ts'

/** The Agents of a cluster. */
export interface Agents {
  readonly all: readonly AgentView[]
  find(ref: ObjectRef): AgentView | undefined
}

/** Reads the Agents. */
export function readAgents(world: World, backends: Backends): Agents {
  const all = world.all('mcplex.dev', 'Agent').map((object) => readAgent(object, world, backends))
  const byKey = new Map(all.map((view) => [refKey(view.ref), view]))
  return { all, find: (ref) => byKey.get(refKey(ref)) }
}

const selections = ['tools', 'prompts', 'resources'] as const
const texts = ['instructions', 'prefix', 'access'] as const
const fields = ['backendRefs', ...selections, ...texts] as const
const prefixes: Readonly<Record<string, string>> = { Always: 'always', Conditional: 'conditional', Never: 'never' }

function readAgent(object: KubeObject, world: World, backends: Backends): AgentView {
  const ref = refOf(object)
  const name = nameKey(ref)
  const refs = listAt(object, 'spec', 'backendRefs')
  const sources = refs.map((item, index) => readBackendRef(item, `spec.backendRefs[${index}]`, ref, world, backends))
  const found = sources.flatMap(({ place, view }) => (view === undefined ? [] : [{ place, view }]))
  const selectable = {
    views: found.map(({ view }) => view),
    missing: sources.flatMap(({ view, findings }) => (view === undefined ? findings.map(({ message }) => message) : [])),
  }
  const chosen = found.flatMap(({ view }) => (view.unusable === undefined ? [view] : []))
  const { wishes, findings: misread } = readWishes(object)
  // Backends that serve nothing for now count too, so that how callers authenticate does not change with them.
  const asked = found.flatMap(({ view }) => view.authenticate ?? [])
  const logins = new Map(asked.map((authenticate) => [JSON.stringify(authenticate), authenticate]))
  const [authenticate] = logins.values()
  const fragment = {
    from: chosen.map((view) => view.name),
    ...wishes,
    // If one backend asks for authentication, the Agent does: by the Agent, callers reach all its backends.
    ...(authenticate === undefined ? {} : { policies: { authenticate } }),
    // Names of tools do not change while some of the backends are left out.
    ...(wishes['prefix'] === undefined && chosen.length === 1 && refs.length > 1 ? { prefix: 'always' } : {}),
  }
  const findings = [
    ...unknownFields(valueAt(object, 'spec'), fields, 'spec', 'all'),
    ...(logins.size > 1 ? [loginsFinding] : []),
    ...(refs.length === 0 ? [finding('all', 'Invalid', 'spec.backendRefs is empty: name at least one backend')] : []),
    ...misread,
    ...(selections.some((selection) => listAt(wishes, selection).length > 0) ? [] : [emptyFinding]),
    ...sources.flatMap((source) => source.findings),
    ...(found.length === 0 ? [] : errorsOf(name, wishes, found)),
    ...(found.length === 0 ? [] : selections.flatMap((selection) => strayPatterns(selection, listAt(wishes, selection), selectable))),
  ]
  const servers = new Set(chosen.flatMap((view) => Object.keys(rawAt(view.fragment, 'servers')))).size
  const { conditions, unusable } = judgeFindings(object, findings, serversServed(servers))
  return {
    ref,
    name,
    fragment: unusable === undefined ? fragment : undefined,
    unusable,
    backends: chosen,
    status: { kind: 'whole', object, status: { conditions, servers: unusable === undefined ? servers : 0 } },
  }
}

const loginsFinding = finding(
  'all',
  'Invalid',
  'spec.backendRefs: policies of its backends (mcp.authentication) authenticate callers differently: make an Agent for each',
)
const emptyFinding = finding('nothing', 'Pending', 'it selects nothing, so its clients see nothing: write tools, prompts or resources')

interface Source {
  readonly place: string
  /** The backend; absent where it does not exist or may not be referred to. */
  readonly view?: BackendView
  readonly findings: readonly Finding[]
}

const groups: Readonly<Record<string, string>> = { Backend: 'gateway.kgateway.dev', AgentgatewayBackend: 'agentgateway.dev' }

function readBackendRef(item: unknown, place: string, agent: ObjectRef, world: World, backends: Backends): Source {
  const leftOut = (reason: string, message: string): Source => ({ place, findings: [finding('part', reason, `${place}${message}`)] })
  const unknown = unknownFields(item, ['group', 'kind', 'name', 'namespace'], place, 'part')
  if (unknown.length > 0) return { place, findings: unknown }
  const name = textAt(item, 'name')
  if (name === undefined) return leftOut('Invalid', '.name is missing: name a backend')
  const kind = textAt(item, 'kind') ?? 'Backend'
  const usual = Object.hasOwn(groups, kind) ? groups[kind] : undefined
  const group = textAt(item, 'group') ?? usual
  if (usual === undefined || group !== usual) {
    const known = Object.entries(groups).map(([one, of]) => `${one} (${of})`)
    return leftOut('InvalidKind', `: an agent selects from a ${known.join(' or an ')}, not from a ${kind} (${group ?? 'no group'})`)
  }
  const ref: ObjectRef = { group: usual, kind, namespace: textAt(item, 'namespace') ?? agent.namespace, name }
  if (!world.isAllowed(agent, ref)) {
    const grant = `a ReferenceGrant in ${ref.namespace} from Agent (mcplex.dev) of ${agent.namespace} to ${kind} (${usual})`
    return leftOut('RefNotPermitted', `: ${titleOf(ref)} may not be named from here: create ${grant}`)
  }
  const view = backends.find(ref)
  if (view === undefined) {
    return world.find(ref) === undefined
      ? leftOut('BackendNotFound', `: there is no ${titleOf(ref)}: create it, or name another`)
      : leftOut('InvalidKind', `: ${titleOf(ref)} is not for MCP: name one that is`)
  }
  if (view.unusable === undefined) return { place, view, findings: [] }
  return { ...leftOut('Invalid', `: ${titleOf(ref)} serves nothing: ${view.unusable}`), view }
}

/** Its members beside the backendRefs, where they are of the right type, and findings for the others. */
function readWishes(object: KubeObject): { readonly wishes: Raw; readonly findings: readonly Finding[] } {
  const findings: Finding[] = []
  const wishes = [...selections, ...texts].flatMap((field): readonly (readonly [string, unknown])[] => {
    const written = valueAt(object, 'spec', field)
    if (written === undefined) return []
    const meant = field === 'prefix' ? prefixOf(written) : written
    const isList = Array.isArray(meant) && meant.every((one) => typeof one === 'string')
    if (texts.some((one) => one === field) ? typeof meant === 'string' : isList) return [[field, meant]]
    const needed =
      field === 'prefix' ? `one of ${Object.keys(prefixes).join(', ')}` : texts.some((one) => one === field) ? 'a text' : 'a list of texts'
    findings.push(finding('all', 'Invalid', `spec.${field} is not ${needed}: correct it`))
    return []
  })
  return { wishes: Object.fromEntries(wishes), findings }
}

function prefixOf(written: unknown): string | undefined {
  return typeof written === 'string' && Object.hasOwn(prefixes, written) ? prefixes[written] : undefined
}

/**
 * What `config` finds wrong with the Agent, checked against all servers of its backends, those that are left out among them: these keep
 * their names, so that a pattern never comes to mean another server.
 */
function errorsOf(name: string, wishes: Raw, found: readonly { readonly place: string; readonly view: BackendView }[]): readonly Finding[] {
  const probe = { http: { host: 'probe', port: 1 } }
  const backends = Object.fromEntries(
    found.map(({ view }) => [view.name, { servers: Object.fromEntries(view.servers.map((server) => [server, probe])) }]),
  )
  const agent = { from: found.map(({ view }) => view.name), ...wishes }
  return fragmentErrors({ backends, agents: { [name]: agent } }).flatMap((problem) => {
    if (!problem.path.startsWith('agents')) return []
    const path = problem.path.replace(/^agents\.(?:"(?:[^"\\]|\\.)*"|[-\w]+)\.?/, '')
    const from = /^from\[(\d+)\]$/.exec(path)?.[1]
    const place = from !== undefined ? found[Number(from)]?.place : path === '' ? 'metadata.name' : `spec.${path}`
    return [finding('all', 'Invalid', `${place}: ${sentenceOf(problem)}`)]
  })
}
