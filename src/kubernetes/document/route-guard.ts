import { authorizeOf, bothRules, expressionErrors, joinRules } from '../fields/fields.ts'
import type { Raw } from '../objects/objects.ts'
import type { PolicyEffect } from '../policies/policies.ts'
import type { RuleTarget } from './rule-target.ts'

/** What policies ask of callers of one rule. */
export interface Guard {
  /** The rules that must let a call through, as `authorize` of the document; undefined: none. */
  readonly authorize: Raw | undefined
  /** Why nothing may pass: what several policies ask for together can't be done. */
  readonly barred: string | undefined
}

/**
 * All that policies say for a rule, joined as agentgateway joins it. Rules add up; tokens and keys are both asked for where policies ask
 * for both, which a document can't say, as it takes either.
 * @param effects of the rule, its route, its listener and its Gateway
 */
export function guardOf(effects: readonly PolicyEffect[], target: RuleTarget): Guard {
  const [direct] = target.agents.length === 0 ? target.backends : []
  const ofBackend = direct === undefined ? undefined : { allow: direct.allow, deny: [], require: [] }
  const requests = joinRules(effects.map(({ requestRules }) => requestRules))
  const items = joinRules([...effects.map(({ itemRules }) => itemRules), ofBackend])
  const rules = bothRules(requests, items)
  const joined = requests.allow.length > 1 && items.allow.length > 0 ? expressionErrors(rules.require, 'item') : []
  const asked = {
    tokens: effects.some(({ tokens }) => tokens !== undefined),
    keys: effects.some(({ keys }) => keys !== undefined),
    login: target.backends.some(({ authenticate }) => authenticate !== undefined),
  }
  // Requests are judged before a backend asks who calls: in agentgateway none of these has a token yet.
  const isTooEarly = asked.login && Object.values(requests).some((texts) => texts.some((text: string) => /\b(?:jwt|apiKey)\b/.test(text)))
  const barred = [
    ...(asked.tokens && asked.keys ? [bothFault] : []),
    ...(asked.login && (asked.tokens || asked.keys) ? [loginFault] : []),
    ...(isTooEarly ? [earlyFault] : []),
    ...joined.map(({ sentence }) => `the rules of traffic.authorization can't be joined: ${sentence}`),
  ]
  return { authorize: authorizeOf(rules), barred: barred.length === 0 ? undefined : barred.join('; ') }
}

const bothFault =
  'policies ask for both jwtAuthentication and apiKeyAuthentication, and mcplex takes either where it takes both: keep one of them'
const loginFault =
  'policies of its backend (mcp.authentication) and of the route or Gateway (traffic) both say who callers must be: keep one of them'
const earlyFault =
  'traffic.authorization is judged before mcp.authentication of the backend tells who calls: write backend.mcp.authorization instead, or traffic.jwtAuthentication'
