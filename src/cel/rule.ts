import type { Facts, ItemFacts } from './facts.ts'
import { languages } from './language.ts'
import { compileProgram, type Truth, uncompiled } from './program.ts'
import { referencesOf } from './references.ts'
import { type ItemKind, specialise, withoutArguments, withServerOnly } from './specialise.ts'
import { type Expr, printExpression, readExpression } from './syntax.ts'

export type Effect = 'allow' | 'deny' | 'require'

/** A compiled rule about the caller and the request. */
export interface AccessRule {
  readonly text: string
  /** Whether its result depends on the request, and not on the caller alone. */
  readonly needsRequest: boolean
  holds(facts: Facts): Truth
}

/** A compiled rule about the caller, the request, and a tool, prompt or resource. */
export interface ItemRule {
  readonly text: string
  readonly needsRequest: boolean
  readonly needsMethod: boolean
  /** The rule for one kind of item; it is compiled at its first use. */
  about(kind: ItemKind): KindRule
}

/** A rule for one kind of item. A condition about another kind is false in it. */
export interface KindRule {
  /** Whether a call's arguments can make a difference. */
  readonly needsArguments: boolean
  /** The result if every condition about arguments came out in the caller's favour. */
  atBest(facts: ItemFacts): Truth
  /**
   * The result if every condition about arguments came out against the caller. If even this is in the caller's favour, the arguments need
   * not be read.
   */
  atWorst(facts: ItemFacts): Truth
  withArguments(facts: ItemFacts): Truth
  /** The result if every condition came out in the caller's favour, but for those about kind, server and method. */
  ofServer(facts: ItemFacts): Truth
}

/**
 * Compiles a rule of the scope `access`. It never throws: an expression that `expressionFault` refuses may give a rule that always fails.
 */
export function compileAccess(text: string): AccessRule {
  const expr = readExpression(text)
  if (expr.kind === 'fault') return { text, needsRequest: false, holds: uncompiled }
  return { text, needsRequest: needsRequest(expr), holds: compileProgram(expr, languages.access) }
}

/**
 * Compiles a rule of the scope `item`. It never throws: an expression that `expressionFault` refuses may give a rule that always fails, or
 * fails for some kinds.
 */
export function compileRule(text: string, effect: Effect): ItemRule {
  const expr = readExpression(text)
  if (expr.kind === 'fault') return { text, needsRequest: false, needsMethod: false, about: () => failing }
  const compiled = new Map<ItemKind, KindRule>() // three at most
  return {
    text,
    needsRequest: needsRequest(expr),
    needsMethod: referencesOf(expr).some(
      ({ root, keys }) => root === 'mcp' && (keys[0]?.name === 'method' || keys[0]?.name === 'methodName'),
    ),
    about(kind) {
      const known = compiled.get(kind) ?? compileFor(expr, effect, kind)
      compiled.set(kind, known)
      return known
    },
  }
}

const failing: KindRule = {
  needsArguments: false,
  atBest: uncompiled,
  atWorst: uncompiled,
  withArguments: uncompiled,
  ofServer: uncompiled,
}

/** The forms of an expression for the stages at which a rule is asked. Without `given`, arguments make no difference. */
export interface Stages {
  readonly best: Expr
  readonly ofServer: Expr
  readonly given: { readonly worst: Expr; readonly exact: Expr } | undefined
}

export function stagesOf(expr: Expr, effect: Effect, kind: ItemKind): Stages {
  const favour = effect !== 'deny'
  const best = specialise(expr, { kind, isUnknown: withoutArguments, assumed: favour })
  const worst = specialise(expr, { kind, isUnknown: withoutArguments, assumed: !favour, isFailureTrue: !favour })
  const ofServer = specialise(expr, { kind, isUnknown: withServerOnly, assumed: favour })
  if (printExpression(best) === printExpression(worst)) return { best, ofServer, given: undefined }
  return { best, ofServer, given: { worst, exact: specialise(expr, { kind, isUnknown: () => false, assumed: favour }) } }
}

function compileFor(expr: Expr, effect: Effect, kind: ItemKind): KindRule {
  try {
    return compileStages(stagesOf(expr, effect, kind))
  } catch {
    return failing
  }
}

function compileStages({ best, ofServer, given }: Stages): KindRule {
  const compile = (stage: Expr) => compileProgram(stage, languages.item)
  const atBest = compile(best)
  if (given === undefined) return { needsArguments: false, atBest, atWorst: atBest, withArguments: atBest, ofServer: compile(ofServer) }
  return { needsArguments: true, atBest, atWorst: compile(given.worst), withArguments: compile(given.exact), ofServer: compile(ofServer) }
}

function needsRequest(expr: Expr): boolean {
  return referencesOf(expr).some(({ root }) => root === 'request' || root === 'source')
}
