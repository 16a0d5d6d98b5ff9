import { type Expr, isLiteralList, withParts } from './syntax.ts'
import { functions, methods } from './vocabulary.ts'

/** The expression with calls added that spend its cost from the budget (`budget.ts`): in loops at each iteration, elsewhere once. */
export function metered(expr: Expr): Expr {
  return meter(expr, false)
}

function meter(expr: Expr, isInLoop: boolean): Expr {
  if (expr.kind === 'call') return meterCall(expr, isInLoop)
  const inner = withParts(expr, (part) => meter(part, isInLoop))
  if (inner.kind !== 'binary') return inner
  switch (inner.op) {
    case 'in':
      return { ...inner, right: counting(inner.right, isInLoop ? 'weighed_' : 'counted_') }
    case '+':
      return { ...inner, left: counting(inner.left, 'counted_'), right: counting(inner.right, 'counted_') }
    case '&&':
    case '||':
      return inner
    default:
      // Comparing with a literal takes no longer than the literal is.
      if (!isInLoop || isLiteral(inner.left) || isLiteral(inner.right)) return inner
      return { ...inner, left: counting(inner.left, 'weighed_'), right: counting(inner.right, 'weighed_') }
  }
}

function meterCall(call: Expr & { kind: 'call' }, isInLoop: boolean): Expr {
  const callable = (call.on === undefined ? functions : methods).get(call.name)
  const name = callable?.ours ?? call.name
  const on = call.on === undefined ? undefined : meter(call.on, isInLoop)
  if (callable?.isLoop === true) {
    const [variable, ...bodies] = call.args
    const args = [...(variable === undefined ? [] : [variable]), ...bodies.map((body) => meter(body, true))]
    return { ...call, name, on: on === undefined ? undefined : counting(on, 'counted_'), args }
  }
  const args = call.args.map((arg) => meter(arg, isInLoop))
  if (callable?.isLinear !== true || !isInLoop) return { ...call, name, on, args }
  if (on !== undefined) return { ...call, name, on: counting(on, 'counted_'), args }
  return { ...call, name, on, args: args.map((arg) => counting(arg, 'counted_')) }
}

function counting(expr: Expr, name: 'counted_' | 'weighed_'): Expr {
  return isLiteral(expr) ? expr : { kind: 'call', name, on: undefined, args: [expr], at: expr.at }
}

function isLiteral(expr: Expr): boolean {
  return expr.kind === 'value' || isLiteralList(expr)
}
