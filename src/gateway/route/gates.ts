import { auditOn, authenticationOn, type Config, formatPath, type Listener, type Route, type Rule, rulesOn } from '../../config/config.ts'
import { anonymous, type Caller, type Head, isRecord, type Refusal, refuse } from '../../mcp/mcp.ts'
import { type AuthorizeLevel, createAccess, createJudge, type Judge } from '../../policy/policy.ts'
import { type Admitted, type Endpoint, entered, type Gate } from './endpoint.ts'
import type { Keepers } from './keepers.ts'

const asAnonymous: Admitted = { kind: 'admitted', caller: anonymous }

/** What a way through the document asks of requests. Ways that ask for the same share what keeps it. */
export function createGate(
  config: Config,
  listener: Listener,
  route: Route,
  rule: Rule,
  keepers: Keepers,
  judgeOf: (levels: readonly AuthorizeLevel[]) => Judge,
): Gate {
  const way = { listener, route, rule }
  const authenticate = authenticationOn(config, way)
  const audit = auditOn(config, way)
  const levels = rulesOn(config, way).map(({ place, settings, backend, server }) => ({ place, ...settings, backend, server }))
  const agent = rule.backends[0]?.agent
  const expression = agent === undefined ? undefined : config.agents[agent]?.access
  const access = expression === undefined ? undefined : createAccess(expression, formatPath(['agents', agent ?? '', 'access']))
  const authenticator = authenticate === undefined ? undefined : keepers.authenticator(authenticate.settings)
  let judge: Judge | undefined
  /** Of callers whose requests all see the same; gone when their credential is forgotten. */
  const known = new WeakMap<Caller, WeakMap<Endpoint, Endpoint>>()

  const judged = (head: Head, caller: Caller | Refusal): Admitted => {
    if (isRefusal(caller)) return caller
    const verdict = access?.admits({ caller, head })
    if (verdict === undefined || verdict.isAllowed) return caller === anonymous ? asAnonymous : { kind: 'admitted', caller }
    // Whoever has shown nothing yet may still log in.
    const refusal =
      caller === anonymous && authenticator !== undefined
        ? authenticator.challenge(head)
        : refuse('access', `this caller may not use agent "${agent}": its \`access\` says no`)
    return { ...refusal, caller, by: verdict.by }
  }

  const gate: Gate = {
    authenticator,
    access,
    get judge() {
      if (levels.length > 0) judge ??= judgeOf(levels)
      return judge
    },
    audit: audit === undefined ? undefined : keepers.audit(audit.settings),
    admit(head) {
      if (authenticator === undefined) return access === undefined ? asAnonymous : judged(head, anonymous)
      const caller = authenticator.admit(head)
      return caller instanceof Promise ? caller.then((one) => judged(head, one)) : judged(head, caller)
    },
    enter(target, caller, head) {
      if (caller === anonymous && isOpen(gate)) return target
      if (gate.judge?.isByCaller === false) return entered(target, listener.name, gate, caller, head)
      let endpoints = known.get(caller)
      if (endpoints === undefined) {
        endpoints = new WeakMap()
        known.set(caller, endpoints)
      }
      let endpoint = endpoints.get(target)
      if (endpoint === undefined) {
        endpoint = entered(target, listener.name, gate, caller, head)
        endpoints.set(target, endpoint)
      }
      return endpoint
    },
    reenter(target, before, entry) {
      const { caller } = before
      // Callers prove who they are once more to whoever asks for it in another way now.
      if (authenticator !== entry.gate.authenticator) return undefined
      if (caller.kind !== 'anonymous' && authenticator?.isValid(caller) === false) return undefined
      if (gate === entry.gate) return before
      return access?.admits({ caller, head: entry.head }).isAllowed === false ? undefined : gate.enter(target, caller, entry.head)
    },
  }
  return gate
}

/** Whether it asks nothing of anybody. */
export function isOpen({ authenticator, access, judge }: Gate): boolean {
  return authenticator === undefined && access === undefined && judge === undefined
}

function isRefusal(value: Caller | Refusal): value is Refusal {
  return isRecord(value) && value.kind === 'refused'
}

/** Judges by their rules: many ways ask for the same. */
export function createJudges(): (levels: readonly AuthorizeLevel[]) => Judge {
  const byLevels = new Map<string, Judge>()
  return (levels) => {
    const key = JSON.stringify(levels)
    const judge = byLevels.get(key) ?? createJudge(levels)
    byLevels.set(key, judge)
    return judge
  }
}
