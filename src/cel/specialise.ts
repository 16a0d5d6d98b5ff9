import { type Reference, referencesOf } from './references.ts'
import { type Expr, withParts } from './syntax.ts'

export type ItemKind = 'tools' | 'prompts' | 'resources'

const fieldOf: Readonly<Record<ItemKind, string>> = { tools: 'tool', prompts: 'prompt', resources: 'resource' }
const kindFields: ReadonlySet<string> = new Set(Object.values(fieldOf))

/** For what an expression is specialised: the kind of item, what is not known yet, and the truth value that is assumed for it. */
export interface View {
  readonly kind: ItemKind
  readonly isUnknown: (reference: Reference) => boolean
  readonly assumed: boolean
  /**
   * Whether a condition of `? :` that may fail, because it depends on what is unknown, counts as if the rule held. It does for a `deny`.
   */
  readonly isFailureTrue?: boolean
}

/** Whether a reference is unknown while the call's arguments are not known. */
export const withoutArguments = (reference: Reference): boolean => isOfItem(reference) && reference.keys[1]?.name === 'arguments'

/** Whether a reference is unknown while only the item's kind and server are known. */
export const withServerOnly = (reference: Reference): boolean =>
  isOfItem(reference) && reference.keys[1] !== undefined && !['server', 'target'].includes(reference.keys[1].name)

function isOfItem(reference: Reference): boolean {
  return reference.root === 'mcp' && kindFields.has(reference.keys[0]?.name ?? '')
}

/**
 * Specialises an expression for one kind of item. Its literals are the operands of `&&`, `||`, `!` and `? :`, and negations are moved down
 * to them. A literal about another kind becomes false, and one about something unknown takes the assumed value. So assuming true gives an
 * upper bound of the whole expression, and assuming false a lower one.
 */
export function specialise(expr: Expr, view: View): Expr {
  return join(settleDefaults(expr, view.kind), true, view, false)
}

export const yes: Expr = { kind: 'value', value: { kind: 'other', spelled: 'true' }, at: 0 }
export const no: Expr = { kind: 'value', value: { kind: 'other', spelled: 'false' }, at: 0 }

function isYes(expr: Expr): boolean {
  return expr.kind === 'value' && expr.value.kind === 'other' && expr.value.spelled === 'true'
}

function isNo(expr: Expr): boolean {
  return expr.kind === 'value' && expr.value.kind === 'other' && expr.value.spelled === 'false'
}

function join(expr: Expr, isPositive: boolean, view: View, isBranch: boolean): Expr {
  if (expr.kind === 'unary' && expr.op === '!') return join(expr.of, !isPositive, view, isBranch)
  if (expr.kind === 'binary' && (expr.op === '&&' || expr.op === '||')) {
    const [left, right] = [join(expr.left, isPositive, view, isBranch), join(expr.right, isPositive, view, isBranch)]
    return (expr.op === '&&') === isPositive ? both(left, right) : either(left, right)
  }
  if (expr.kind === 'choice') {
    const [whenYes, whenNo] = [join(expr.yes, isPositive, view, true), join(expr.no, isPositive, view, true)]
    if (!isSettledHere(expr.test, view)) return { ...expr, yes: whenYes, no: whenNo }
    const [ifTrue, ifFalse] = [join(expr.test, true, view, true), join(expr.test, false, view, true)]
    if (view.isFailureTrue === true && !isNo(ifTrue) && !isNo(ifFalse) && referencesOf(expr.test).some(view.isUnknown)) return yes
    return either(both(ifTrue, whenYes), both(ifFalse, whenNo))
  }
  const settled = settle(expr, view)
  if (settled !== undefined) return settled ? yes : no
  if (isYes(expr) || isNo(expr)) return isYes(expr) === isPositive ? yes : no
  // A branch need not yield a boolean for the whole to type-check: that is an error only where it is evaluated.
  const literal = isBranch && !isComparison(expr) ? dynamic(expr) : expr
  return isPositive ? literal : { kind: 'unary', op: '!', of: literal, at: expr.at }
}

function isComparison(expr: Expr): boolean {
  return expr.kind === 'binary' && ['==', '!=', '<', '<=', '>', '>=', 'in'].includes(expr.op)
}

function dynamic(expr: Expr): Expr {
  return { kind: 'call', name: 'dyn', on: undefined, args: [expr], at: expr.at }
}

/** The truth value of a literal that is settled without evaluating it; undefined for all others. */
function settle(literal: Expr, view: View): boolean | undefined {
  const references = referencesOf(literal)
  if (references.some((reference) => isOfOtherKind(reference, view.kind))) return false
  return references.some(view.isUnknown) ? view.assumed : undefined
}

/** Whether the condition of a `? :` has to be taken apart because some of its literals are settled. */
function isSettledHere(test: Expr, view: View): boolean {
  return referencesOf(test).some((reference) => isOfOtherKind(reference, view.kind) || view.isUnknown(reference))
}

/** Whether a reference names another kind of item. `has(mcp.tool)` and `mcp.?tool` may: they say themselves that it is absent. */
function isOfOtherKind(reference: Reference, kind: ItemKind): boolean {
  const [first] = reference.keys
  if (!isOfItem(reference) || first === undefined || first.name === fieldOf[kind]) return false
  return !first.isOptional && !(reference.isAsked && reference.keys.length === 1)
}

/** Replaces a `default(x, y)` over two kinds of items by the operand whose kind is there. */
function settleDefaults(expr: Expr, kind: ItemKind): Expr {
  const settled = withParts(expr, (part) => settleDefaults(part, kind))
  const [wanted, otherwise] = settled.kind === 'call' && settled.on === undefined && settled.name === 'default' ? settled.args : []
  if (wanted === undefined || otherwise === undefined || !referencesOf(otherwise).some(isOfItem)) return settled
  if (referencesOf(wanted).some((reference) => isOfOtherKind(reference, kind))) return dynamic(otherwise)
  return isAlwaysThere(wanted) ? dynamic(wanted) : settled
}

function isAlwaysThere(expr: Expr): boolean {
  const [only] = expr.kind === 'select' ? referencesOf(expr) : []
  const [field, key, ...more] = only?.keys ?? []
  if (only === undefined || !isOfItem(only) || field === undefined || key === undefined || more.length > 0) return false
  return !field.isOptional && !key.isOptional && ['name', 'uri', 'server', 'target'].includes(key.name)
}

function both(left: Expr, right: Expr): Expr {
  if (isNo(left) || isNo(right)) return no
  if (isYes(left)) return right
  return isYes(right) ? left : { kind: 'binary', op: '&&', left, right, at: left.at }
}

function either(left: Expr, right: Expr): Expr {
  if (isYes(left) || isYes(right)) return yes
  if (isNo(left)) return right
  return isNo(right) ? left : { kind: 'binary', op: '||', left, right, at: left.at }
}
