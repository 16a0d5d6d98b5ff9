import { type Catalog, createCatalog, matchesPattern } from '../catalog/catalog.ts'
import { type Agent, type Authenticate, authenticationOn, type Config, formatPath } from '../config/config.ts'
import { anonymous, type Caller, type Claims, nearest, type Refusal, readObject, refuse } from '../mcp/mcp.ts'
import type { Decision, RuleReading, WayPolicyName } from '../policy/policy.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { type Endpoint, type Snapshot, type Way, waysTo } from './route/route.ts'

/** Who asks an agent. At most one of `token`, `claims` and `apiKey` is there. */
export interface Asker {
  readonly agent: string
  /** A token as a caller would send it. */
  readonly token?: string
  /** JSON text of the claims of a token that is taken for verified. */
  readonly claims?: string
  /** The `id` of an API key. */
  readonly apiKey?: string
}

/** Who asks, and about which tool. */
export interface Question extends Asker {
  /** The exposed name. */
  readonly tool: string
  /** JSON text of the arguments. */
  readonly args?: string
}

/** One layer that a call passes. */
export interface Step {
  readonly layer: 'route' | 'authenticate' | 'catalog' | 'selection' | WayPolicyName
  /** The path in the document that decided; empty where the document says nothing about this layer. */
  readonly place: string
  readonly text: string
  readonly isPassed: boolean
  /** Of a policy: all rules at that place, also those that no longer mattered. */
  readonly rules?: readonly RuleReading[]
}

export interface Explanation {
  readonly agent: string
  readonly tool: string
  /**
   * `allowed`: the call goes to its server. `refused`: its caller is not let in, or a rule refuses the arguments. `hidden`: a server has
   * the tool, and this caller does not see it. `unknown`: no server has it. `not-judged`: a server that may have it is down.
   */
  readonly outcome: 'allowed' | 'refused' | 'hidden' | 'unknown' | 'not-judged'
  /** Where the tool is `unknown`: the name of one that exists and was probably meant. */
  readonly nearest?: string
  /** True where the tool is listed and a rule depends on the arguments of each call. */
  readonly mayBeRefused: boolean
  /** Every layer that was asked, in order. The last one decided. */
  readonly steps: readonly Step[]
  /** Other routes to the agent on which the outcome differs. */
  readonly elsewhere: readonly Elsewhere[]
}

export interface Elsewhere {
  readonly route: string
  readonly path: string
  readonly listener: string
  readonly outcome: Explanation['outcome']
}

/**
 * Explains a call: asks every layer that the call would pass, on the document's first route to the agent. Rules over `request` and
 * `source` see a plain request that comes from this machine.
 */
export async function explain(snapshot: Snapshot, question: Question): Promise<Explanation> {
  const { agent, tool } = question
  const [first, ...more] = waysTo(snapshot, agent)
  if (first === undefined) {
    return {
      agent,
      tool,
      outcome: 'hidden',
      mayBeRefused: false,
      steps: [noWay(snapshot, agent)],
      elsewhere: [],
    }
  }
  const explanation = await explainWay(snapshot, question, first)
  const elsewhere: Elsewhere[] = []
  for (const way of more) {
    const { outcome } = await explainWay(snapshot, question, way)
    if (outcome !== explanation.outcome)
      elsewhere.push({ route: way.route.name, path: way.head.path, listener: way.listener.name, outcome })
  }
  return { ...explanation, elsewhere }
}

async function explainWay(snapshot: Snapshot, question: Question, way: Way): Promise<Explanation> {
  const { config } = snapshot
  const { agent, tool } = question
  const steps: Step[] = []
  const ended = (outcome: Explanation['outcome'], mayBeRefused = false, near?: string): Explanation => ({
    agent,
    tool,
    outcome,
    ...(near === undefined ? {} : { nearest: near }),
    mayBeRefused,
    steps,
    elsewhere: [],
  })
  const { target, head, settings } = way
  const entered = await enter(config, question, way, steps)
  if (entered === undefined) return ended('refused')
  const { caller, to } = entered
  const subject = { kind: 'tools', name: tool } as const
  const all = createCatalog(
    { title: '', servers: target.catalog.all, selection: undefined, cursors: { seal: () => '', open: () => undefined } },
    { conflicts() {}, selectsNothing() {} },
  )
  const offered = all.owner(subject)
  if (offered === undefined) {
    const place = formatPath(['agents', agent, 'from'])
    const fails = (text: string): number => steps.push({ layer: 'catalog', place, text, isPassed: false })
    const left = leftOut(snapshot, settings, tool)
    const away: Offering[] = target.catalog.all.filter((server) => mayOffer(server, tool))
    if (away.length === 0 && left.backend !== undefined) {
      fails(`a server of backend "${left.backend}" has it, which is not in \`from\``)
      return ended('hidden')
    }
    away.push(...left.away)
    if (away.length > 0) {
      fails(`whether there is a tool "${tool}" is not known: ${away.map(whyAway).join('; ')}`)
      return ended('not-judged')
    }
    const near = nearestTool(all, tool)
    fails(`no server of it has a tool "${tool}"${near === undefined ? '' : `; did you mean "${near}"?`}`)
    return ended('unknown', false, near)
  }
  const { item } = offered
  const serverAt = ['backends', item.backend, 'servers', item.server]
  steps.push({ layer: 'catalog', place: formatPath(serverAt), text: `server "${item.server}" has it as "${item.name}"`, isPassed: true })

  const selected = selection(settings, agent, `${item.server}_${item.name}`)
  steps.push(selected)
  if (!selected.isPassed) return ended('hidden')

  const asking = { caller, head }
  let mayBeRefused = false
  for (const { name, explain: explained } of way.gate.policies.all) {
    for (const { place, isAsked, rules, verdict } of explained(asking, item, question.args)) {
      if (!isAsked) continue
      steps.push({ layer: name, place: verdict.by?.place ?? place, text: says(verdict.by), isPassed: verdict.isAllowed, rules })
      if (!verdict.isAllowed) return ended(to.catalog.owner(subject) === undefined ? 'hidden' : 'refused')
      mayBeRefused ||= verdict.mayBeRefused
    }
  }
  return ended('allowed', mayBeRefused)
}

/** Brings a caller through the layers before the catalogue, each of which adds a step. Undefined where one of them refuses it. */
async function enter(
  config: Config,
  question: Asker,
  way: Way,
  steps: Step[],
): Promise<{ readonly caller: Caller; readonly to: Endpoint } | undefined> {
  const { gate, target, head, route } = way
  const at = ['routes', config.routes.indexOf(route), 'rules', route.rules.indexOf(way.rule)]
  steps.push({ layer: 'route', place: formatPath(at), text: `${head.path} on listener "${way.listener.name}" leads to it`, isPassed: true })

  const authenticate = authenticationOn(config, way)
  const caller = await callerOf(question, way, authenticate?.settings)
  const isToldOf = question.token === undefined
  steps.push({ layer: 'authenticate', place: authenticate?.place ?? '', ...wordsOf(caller, authenticate === undefined, isToldOf) })
  if ('reason' in caller) return undefined

  for (const { name, admit } of gate.policies.all) {
    const said = admit?.({ caller, head })
    if (said === undefined) continue
    steps.push({ layer: name, place: said.by?.place ?? '', ...wordsOfPolicy(said) })
    if (said.kind === 'refused') return undefined
  }

  const to = gate.enter(target, caller, head)
  await to.catalog.settled()
  return { caller, to }
}

/** What a caller of an agent is shown. */
export type Showing =
  /** The JSON text of a `tools/list` result. */
  | { readonly kind: 'tools'; readonly text: string }
  /** The caller is not let in, or nothing leads to the agent. */
  | { readonly kind: 'refused'; readonly step: Step }

/** Lists the tools that a caller sees, on the document's first route to the agent. */
export async function showTo(snapshot: Snapshot, question: Asker): Promise<Showing> {
  const [way] = waysTo(snapshot, question.agent)
  if (way === undefined) return { kind: 'refused', step: noWay(snapshot, question.agent) }
  const steps: Step[] = []
  const entered = await enter(snapshot.config, question, way, steps)
  const last = steps.at(-1)
  if (entered === undefined && last !== undefined) return { kind: 'refused', step: last }
  return { kind: 'tools', text: (entered?.to ?? way.target).catalog.toolsText() }
}

function noWay({ config }: Snapshot, agent: string): Step {
  const isKnown = Object.hasOwn(config.agents, agent)
  const text = isKnown ? `no route of a listener leads to agent "${agent}"` : `there is no agent "${agent}"`
  return { layer: 'route', place: '', text, isPassed: false }
}

/** The caller as the authentication on this way sees it: claims count where it accepts tokens, an API key where it lists that key. */
async function callerOf(question: Asker, { gate, head }: Way, authenticate: Authenticate | undefined): Promise<Caller | Refusal> {
  const { token, claims, apiKey } = question
  if (gate.authenticator === undefined || authenticate === undefined) return anonymous
  if (claims !== undefined) {
    const isTaken = authenticate.jwt.length > 0
    return isTaken
      ? withClaims('jwt', 'claims', claims)
      : refuse('unauthenticated', 'no tokens are taken here, so that claims count for nothing')
  }
  if (apiKey !== undefined) {
    const key = authenticate.apiKeys.find(({ id }) => id === apiKey)
    return key === undefined
      ? refuse('unauthenticated', `no API key "${apiKey}" is taken here`)
      : withClaims('apiKey', apiKey, JSON.stringify(key.claims))
  }
  const header = (name: string) => (name === 'authorization' && token !== undefined ? `Bearer ${token.trim()}` : undefined)
  return gate.authenticator.admit({ ...head, header })
}

function withClaims(kind: 'jwt' | 'apiKey', id: string, text: string): Caller {
  const known: Claims = readObject(text) ?? new Map()
  const claims: Claims = kind === 'apiKey' ? new Map([...known, ['id', id]]) : known
  return { ...anonymous, kind, id, subject: id, claims }
}

function wordsOfPolicy(said: Decision): Pick<Step, 'text' | 'isPassed'> {
  const isPassed = said.kind === 'pass'
  const { text, because } = said.by ?? {}
  if (text === undefined) return { text: isPassed ? 'lets this caller in' : said.text, isPassed }
  return { text: `${text} ${isPassed ? 'holds' : because === 'error' ? 'can not be computed for this caller' : 'does not hold'}`, isPassed }
}

function wordsOf(caller: Caller | Refusal, isOpen: boolean, isToldOf: boolean): Pick<Step, 'text' | 'isPassed'> {
  if ('reason' in caller) return { text: caller.text, isPassed: false }
  if (caller.kind === 'anonymous') return { text: isOpen ? 'nobody has to prove who it is' : 'the caller is anonymous', isPassed: true }
  return { text: isToldOf ? 'the caller is taken for who it is said to be' : `the caller is ${caller.id}`, isPassed: true }
}

interface Offering {
  readonly name: string
  readonly upstream: Upstream
  /** Whether the exposed names of its tools begin with its own name. */
  readonly isPrefixed: boolean
}

/** Whether a server that is down could have a tool of this exposed name. */
function mayOffer({ name, upstream, isPrefixed }: Offering, tool: string): boolean {
  return upstream.status().state !== 'ready' && (!isPrefixed || tool.startsWith(`${name}_`))
}

function whyAway({ name, upstream }: Offering): string {
  const { lastError, remedy } = upstream.status()
  if (lastError === undefined) return `${name} has not answered`
  return `${name} is down: it ${lastError}${remedy === undefined ? '' : `; ${remedy}`}`
}

/** Looks for a tool among the servers that the agent's `from` leaves out: which of them has it, and which are down and may have it. */
function leftOut({ config, upstreams }: Snapshot, agent: Agent, tool: string) {
  const others = Object.entries(config.backends).flatMap(([backend, { servers }]) =>
    agent.from.includes(backend)
      ? []
      : Object.keys(servers).flatMap((name) => {
          const upstream = upstreams.get(`${backend}/${name}`)?.upstream
          return upstream === undefined ? [] : [{ backend, name, upstream, isPrefixed: true }]
        }),
  )
  const owner = others.find(({ name, upstream }) => upstream.entries('tools').some(({ key }) => tool === `${name}_${key}`))
  return { backend: owner?.backend, away: others.filter((server) => mayOffer(server, tool)) }
}

/** How many tools are compared to find the name that was probably meant. */
const maxCandidates = 2000

/** The tool that was probably meant: one that has this name without its server's prefix, else the one with the most similar name. */
function nearestTool(all: Catalog, tool: string): string | undefined {
  const names = all.all.flatMap(({ name, upstream, isPrefixed }) =>
    upstream.entries('tools').map(({ key }) => (isPrefixed ? `${name}_${key}` : key)),
  )
  return names.find((name) => name.endsWith(`_${tool}`)) ?? nearest(tool, names.slice(0, maxCandidates))
}

function selection(agent: Agent, name: string, full: string): Step {
  const at = (index: number) => formatPath(['agents', name, 'tools', index])
  const taken = agent.tools.findIndex((pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), full))
  if (taken >= 0) return { layer: 'selection', place: at(taken), text: `"${agent.tools[taken]}" takes it away`, isPassed: false }
  const given = agent.tools.findIndex((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, full))
  if (given >= 0) return { layer: 'selection', place: at(given), text: `"${agent.tools[given]}" selects it`, isPassed: true }
  const place = formatPath(['agents', name, 'tools'])
  return { layer: 'selection', place, text: `nothing selects "${full}"`, isPassed: false }
}

function says(by: { readonly text: string | undefined; readonly because: string } | undefined): string {
  if (by === undefined) return 'no rule speaks of it'
  switch (by.because) {
    case 'allowed':
      return `${by.text} allows it`
    case 'denied':
      return `${by.text} denies it`
    case 'not-required':
      return `${by.text} is required and does not hold`
    case 'error':
      return `${by.text} can not be computed, which denies it`
    default:
      return 'no allow holds'
  }
}
