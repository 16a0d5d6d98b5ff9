import { authorizeOf, bothRules, expressionErrors, joinRules } from '../fields/fields.ts'
import type { Raw } from '../objects/objects.ts'
import type { PolicyEffect } from '../policies/policies.ts'
import type { RuleTarget } from './rule-target.ts'

/** What policies ask of the callers of one rule. */
export interface Guard {
  /** The rules that must let a call through, as the document's `authorize`; undefined where there are none. */
  readonly authorize: Raw | undefined
  /** Why nothing may pass, as policies together ask for something that can't be done; undefined where they do not. */
  readonly barred: string | undefined
}

/**
 * Joins what all policies for a rule say, as agentgateway does. Rules add up. Where some ask for tokens and others for API keys, both are
 * needed, which a document can't say: it takes either.
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
  // agentgateway applies traffic.authorization before the backend's authentication, when a request has no identity yet.
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
