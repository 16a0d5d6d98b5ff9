import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import { isRaw, listAt, type Raw, unknownMembers, valueAt } from '../objects/objects.ts'
import type { PolicyFault } from './policy-fault.ts'

/** CEL expressions of several policies together: none of `deny` may hold, all of `require` must, and one of `allow` if there are any. */
export interface RuleSet {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly require: readonly string[]
}

/** What expressions can refer to: only the request, or also the tool, prompt or resource that it asks for. */
export type RuleScope = 'request' | 'item'

/** What an `authorization` comes to. */
export interface RulesReading {
  /** Undefined where it can't be put in force. */
  readonly rules: RuleSet | undefined
  readonly faults: readonly PolicyFault[]
}

const members: Readonly<Record<string, keyof RuleSet>> = { Allow: 'allow', Deny: 'deny', Require: 'require' }

/** The most expressions of one policy, and characters of one expression (agentgateway, AuthorizationPolicy). */
const maxExpressions = 256
const maxLength = 16_384
/** The most characters of all expressions of one policy: each rule of a route in the document repeats them. */
const maxTotal = 128 * 1024

/** By the `authorization`, which stays the same object until the policy changes, and its place. As many as there are policies. */
const known = new WeakMap<Raw, Map<string, RulesReading>>()

/** Reads an `authorization`. Each of its expressions is a rule of its own. */
export function readRules(authorization: unknown, scope: RuleScope, place: string): RulesReading {
  if (authorization === undefined || authorization === null) return { rules: undefined, faults: [] }
  if (!isRaw(authorization)) return refused([`${place} is not an object: correct it`])
  const places = known.get(authorization) ?? new Map<string, RulesReading>()
  known.set(authorization, places)
  const reading = places.get(`${scope} ${place}`) ?? readAnew(authorization, scope, place)
  places.set(`${scope} ${place}`, reading)
  return reading
}

function readAnew(authorization: Raw, scope: RuleScope, place: string): RulesReading {
  const here = `${place}.policy.matchExpressions`
  const unknown = [
    ...unknownMembers(authorization, ['action', 'policy']).map((name) => `${place}.${name}`),
    ...unknownMembers(valueAt(authorization, 'policy'), ['matchExpressions']).map((name) => `${place}.policy.${name}`),
  ]
  if (unknown.length > 0) return refused(unknown.map((name) => `${name} is not known to mcplex: correct or remove it`))
  const action = valueAt(authorization, 'action') ?? 'Allow'
  const member = typeof action === 'string' && Object.hasOwn(members, action) ? members[action] : undefined
  if (member === undefined) return refused([`${place}.action is not known: write one of ${Object.keys(members).join(', ')}`])
  const written = listAt(authorization, 'policy', 'matchExpressions')
  const texts = written.filter((one) => typeof one === 'string')
  if (written.length === 0) return refused([`${here} lists nothing: write at least one expression`])
  if (texts.length < written.length) return refused([`${here} is not a list of texts: correct it`])
  if (texts.length > maxExpressions) return refused([`${here} lists more than ${maxExpressions} expressions: write several policies`])
  if (texts.some((text) => text.length > maxLength)) return refused([`${here}: an expression is longer than ${maxLength} characters`])
  if (texts.reduce((sum, text) => sum + text.length, 0) > maxTotal)
    return refused([`${here} takes more than ${maxTotal / 1024} KiB: write less`])
  const wrong = expressionErrors(texts, scope).map(({ index, sentence }) => `${here}[${index}]: ${sentence}`)
  if (wrong.length > 0) return refused(wrong)
  return { rules: { ...noRules, [member]: [...new Set(texts)] }, faults: [] }
}

/** What `config` finds wrong with expressions, checked as rules of an agent, which can't refer to a tool, or of a backend, which can. */
export function expressionErrors(
  texts: readonly string[],
  scope: RuleScope,
): readonly { readonly index: number; readonly sentence: string }[] {
  const servers = { probe: { http: { host: 'probe', port: 1 } } }
  const agents = Object.fromEntries(texts.map((access, index) => [`probe-${index}`, { from: ['probe'], access }]))
  const problems =
    scope === 'request'
      ? fragmentErrors({ backends: { probe: { servers } }, agents })
      : fragmentErrors({ backends: { probe: { servers, policies: { authorize: { require: texts } } } } })
  const at = scope === 'request' ? /^agents\.probe-(\d+)/ : /\.require\[(\d+)\]/
  return problems.map((problem) => ({ index: Number(at.exec(problem.path)?.[1] ?? 0), sentence: sentenceOf(problem) }))
}

/** No rules. */
export const noRules: RuleSet = { allow: [], deny: [], require: [] }

/** Whether a set has any rules. */
export function hasRules(rules: RuleSet | undefined): rules is RuleSet {
  return rules !== undefined && rules.allow.length + rules.deny.length + rules.require.length > 0
}

/** The rules of several sets as one set, each once. */
export function joinRules(sets: readonly (RuleSet | undefined)[]): RuleSet {
  const all = (member: keyof RuleSet) => [...new Set(sets.flatMap((set) => set?.[member] ?? []))]
  return { allow: all('allow'), deny: all('deny'), require: all('require') }
}

/** The set as a document's `authorize` has it; undefined where it has no rules. */
export function authorizeOf(rules: RuleSet): Raw | undefined {
  const written = Object.entries(rules).filter(([, texts]) => texts.length > 0)
  return written.length === 0 ? undefined : Object.fromEntries(written)
}

/**
 * One set for two that must both let a request through. The `allow` of the first becomes one expression under `require`, joined by `||`.
 * Each expression stands on lines of its own there, as a comment in it ends with its line.
 */
export function bothRules(first: RuleSet, second: RuleSet): RuleSet {
  const { deny, require } = joinRules([first, second])
  if (first.allow.length === 0 || second.allow.length === 0) return { allow: [...first.allow, ...second.allow], deny, require }
  const [only] = first.allow
  const some = only !== undefined && first.allow.length === 1 ? only : first.allow.map((text) => `(\n${text}\n)`).join(' || ')
  return { allow: second.allow, deny, require: [...new Set([...require, some])] }
}

function refused(messages: readonly string[]): RulesReading {
  return { rules: undefined, faults: messages.map((message) => ({ reason: 'Invalid', message, closes: true })) }
}
