import { auditOn, authenticationOn, type Config, type Listener, type Route, type Rule } from '../../config/config.ts'
import { anonymous, type Caller, type Head, isRecord, type Refusal } from '../../mcp/mcp.ts'
import type { AuthorizeLevel, Judge, Policies } from '../../policy/policy.ts'
import type { AuthenticatorsAndAudits } from './authenticators-and-audits.ts'
import type { CallerViews } from './caller-views.ts'
import type { Admitted, Gate } from './endpoint.ts'
import { wayPolicies } from './policies.ts'

const asAnonymous: Admitted = { kind: 'admitted', caller: anonymous }

/** Makes the gate between a listener and a rule. Gates with equal settings share authenticators, audit logs and judges. */
export function createGate(
  config: Config,
  listener: Listener,
  route: Route,
  rule: Rule,
  kept: AuthenticatorsAndAudits,
  judgeOf: (levels: readonly AuthorizeLevel[]) => Judge,
  views: CallerViews,
): Gate {
  const way = { listener, route, rule }
  const authenticate = authenticationOn(config, way)
  const audit = auditOn(config, way)
  const authenticator = authenticate === undefined ? undefined : kept.authenticator(authenticate.settings)
  let policies: Policies | undefined

  const judged = (head: Head, caller: Caller | Refusal): Admitted => {
    if (isRefusal(caller)) return caller
    const said = gate.policies.admit?.({ caller, head })
    if (said?.kind !== 'refused') return caller === anonymous ? asAnonymous : { kind: 'admitted', caller }
    // A caller without a credential may still log in.
    const mayLogIn = caller === anonymous && authenticator !== undefined && said.reason === 'access'
    return mayLogIn ? { ...authenticator.challenge(head), caller, by: said.by } : { ...said, caller }
  }

  const gate: Gate = {
    authenticator,
    get policies() {
      policies ??= wayPolicies(config, way, judgeOf)
      return policies
    },
    audit: audit === undefined ? undefined : kept.audit(audit.settings),
    admit(head) {
      if (authenticator === undefined) return gate.policies.admit === undefined ? asAnonymous : judged(head, anonymous)
      const caller = authenticator.admit(head)
      return caller instanceof Promise ? caller.then((one) => judged(head, one)) : judged(head, caller)
    },
    enter(target, caller, head) {
      if (caller === anonymous && isOpen(gate)) return target
      const { sight } = gate.policies
      const entry = { listener: listener.name, gate, head, whole: target.catalog }
      if (sight === undefined) return { ...target, caller, entry }
      const { catalog, endpoint } = views.of(target, gate, sight, caller, head)
      return { ...target, caller, catalog, endpoint, entry }
    },
    reenter(target, before, entry) {
      const { caller } = before
      // Where authentication was changed, callers authenticate again.
      if (authenticator !== entry.gate.authenticator) return undefined
      if (caller.kind !== 'anonymous' && authenticator?.isValid(caller) === false) return undefined
      if (gate === entry.gate) return before
      return gate.policies.admit?.({ caller, head: entry.head }).kind === 'refused' ? undefined : gate.enter(target, caller, entry.head)
    },
  }
  return gate
}

/** Whether a gate asks nothing of anybody. */
export function isOpen({ authenticator, policies }: Gate): boolean {
  return authenticator === undefined && policies.all.length === 0
}

function isRefusal(value: Caller | Refusal): value is Refusal {
  return isRecord(value) && value.kind === 'refused'
}
