import { type Expr, partsOf } from './syntax.ts'
import { methods } from './vocabulary.ts'

/** One mention of a variable, with the fields that are named after it: `mcp.tool.name` and `mcp["tool"].name` have two. */
export interface Reference {
  readonly root: string
  readonly at: number
  readonly keys: readonly Key[]
  /** Followed by an index that is computed. */
  readonly isComputed: boolean
  /** Stands in `has(…)`, which asks only whether it exists. */
  readonly isAsked: boolean
  /** Stands to the right of `in`. */
  readonly isSearched: boolean
}

type Use = 'asked' | 'searched' | undefined

export interface Key {
  readonly name: string
  readonly at: number
  /** Written `.?` or `[?…]`: may be absent. */
  readonly isOptional: boolean
}

const none: ReadonlySet<string> = new Set()

/** All mentions of variables, from left to right. Those of a loop's own variable are not among them. */
export function referencesOf(expr: Expr): readonly Reference[] {
  const found: Reference[] = []
  collect(expr, none, undefined, found)
  return found
}

function collect(expr: Expr, bound: ReadonlySet<string>, use: Use, found: Reference[]): void {
  if (expr.kind === 'call') return collectCall(expr, bound, found)
  if (expr.kind !== 'name' && expr.kind !== 'select' && expr.kind !== 'index') {
    for (const part of partsOf(expr)) collect(part, bound, isSearchedIn(expr, part) ? 'searched' : undefined, found)
    return
  }
  const links = linksOf(expr)
  const [first, ...rest] = links
  if (first?.kind === 'name') {
    const uses = { isAsked: use === 'asked', isSearched: use === 'searched' }
    if (!bound.has(first.name)) found.push({ root: first.name, at: first.at, ...namedKeys(rest), ...uses })
  } else if (first !== undefined) collect(first, bound, undefined, found)
  for (const link of rest) if (link.kind === 'index') collect(link.key, bound, undefined, found)
}

function isSearchedIn(expr: Expr, part: Expr): boolean {
  return expr.kind === 'binary' && expr.op === 'in' && part === expr.right
}

function collectCall(call: Expr & { kind: 'call' }, bound: ReadonlySet<string>, found: Reference[]): void {
  if (call.on !== undefined) collect(call.on, bound, undefined, found)
  const [variable, ...bodies] = call.args
  const isLoop = call.on !== undefined && methods.get(call.name)?.isLoop === true && variable?.kind === 'name'
  if (!isLoop) {
    const isHas = call.on === undefined && call.name === 'has'
    for (const arg of call.args) collect(arg, bound, isHas ? 'asked' : undefined, found)
    return
  }
  const inner = new Set([...bound, variable.name])
  for (const body of bodies) collect(body, inner, undefined, found)
}

/** The parts of a chain such as `a.b[c]`: what it begins with, then each field or index. */
function linksOf(expr: Expr): Expr[] {
  const links: Expr[] = []
  let link = expr
  while (link.kind === 'select' || link.kind === 'index') {
    links.unshift(link)
    link = link.of
  }
  return [link, ...links]
}

function namedKeys(links: readonly Expr[]): { readonly keys: readonly Key[]; readonly isComputed: boolean } {
  const keys: Key[] = []
  for (const link of links) {
    if (link.kind === 'select') keys.push({ name: link.key, at: link.at, isOptional: link.isOptional })
    else if (link.kind === 'index' && link.key.kind === 'value' && link.key.value.kind === 'text') {
      keys.push({ name: link.key.value.text, at: link.key.at, isOptional: link.isOptional })
    } else return { keys, isComputed: true }
  }
  return { keys, isComputed: false }
}
