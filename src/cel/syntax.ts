import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'

/** The syntax tree of an expression; `at` is the offset of the character that a message points at. */
export type Expr =
  | { readonly kind: 'value'; readonly value: Literal; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'select'; readonly of: Expr; readonly key: string; readonly isOptional: boolean; readonly at: number }
  | { readonly kind: 'index'; readonly of: Expr; readonly key: Expr; readonly isOptional: boolean; readonly at: number }
  | { readonly kind: 'call'; readonly name: string; readonly on: Expr | undefined; readonly args: readonly Expr[]; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Expr[]; readonly at: number }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Expr, Expr])[]; readonly at: number }
  | { readonly kind: 'choice'; readonly test: Expr; readonly yes: Expr; readonly no: Expr; readonly at: number }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr; readonly at: number }
  | { readonly kind: 'unary'; readonly op: '!' | '-'; readonly of: Expr; readonly at: number }

/** A text, or another literal as it is printed. */
export type Literal = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'other'; readonly spelled: string }

/** Bounds of an expression as written; what is compiled from it may be somewhat larger. */
export const maxLength = 32_768
const limits = { maxAstNodes: 1500, maxDepth: 64, maxListElements: 1000, maxMapEntries: 100, maxCallArguments: 16 }

/** How deep operators may nest, with or without brackets. */
const maxDepth = 200

const grammar = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, limits })

export interface SyntaxFault {
  readonly kind: 'fault'
  readonly text: string
  readonly at: number
}

/** Parses an expression; a fault where it is none. */
export function readExpression(text: string): Expr | SyntaxFault {
  if (text.length > maxLength) return { kind: 'fault', text: `is longer than ${maxLength} characters`, at: maxLength }
  try {
    const expr = expressionOf(grammar.parse(text).ast)
    return depthOf(expr) > maxDepth ? { kind: 'fault', text: 'is nested too deeply', at: 0 } : expr
  } catch (error) {
    if (error instanceof ParseError) return { kind: 'fault', text: inWords(error.summary), at: error.range?.start ?? 0 }
    if (error instanceof Unsupported) return { kind: 'fault', text: error.message, at: error.at }
    if (error instanceof RangeError) return { kind: 'fault', text: 'is nested too deeply', at: 0 }
    return { kind: 'fault', text: 'is not a CEL expression that can be read', at: 0 }
  }
}

/** How deep an expression nests. A chain such as `a && b && c` is as deep as its deepest operand. */
function depthOf(expr: Expr): number {
  const depths = partsOf(expr).map((part, index) => (index === 0 && isLink(expr, part) ? depthOf(part) - 1 : depthOf(part)))
  return depths.reduce((most, depth) => Math.max(most, depth), 0) + 1
}

function isLink(expr: Expr, part: Expr): boolean {
  return expr.kind === 'binary' && part.kind === 'binary' && expr.op === part.op
}

class Unsupported extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

function expressionOf(node: ASTNode): Expr {
  const at = node.start
  switch (node.op) {
    case 'value':
      return { kind: 'value', value: literalOf(node.args, node), at }
    case 'id':
      return { kind: 'name', name: node.args, at }
    case '.':
    case '.?':
      return { kind: 'select', of: expressionOf(node.args[0]), key: node.args[1], isOptional: node.op === '.?', at: node.pos }
    case '[]':
    case '[?]':
      return { kind: 'index', of: expressionOf(node.args[0]), key: expressionOf(node.args[1]), isOptional: node.op === '[?]', at }
    case 'call':
      return { kind: 'call', name: node.args[0], on: undefined, args: node.args[1].map(expressionOf), at }
    case 'rcall': {
      const [name, on, args] = node.args
      // Between a receiver and its method's name stand only its closing brackets, white space and the dot.
      const named = node.input.indexOf(name, node.input.indexOf('.', on.end))
      return { kind: 'call', name, on: expressionOf(on), args: args.map(expressionOf), at: named === -1 ? at : named }
    }
    case 'list':
      return { kind: 'list', items: node.args.map(expressionOf), at }
    case 'map':
      return { kind: 'map', entries: node.args.map(([key, value]) => [expressionOf(key), expressionOf(value)] as const), at }
    case '?:':
      return { kind: 'choice', test: expressionOf(node.args[0]), yes: expressionOf(node.args[1]), no: expressionOf(node.args[2]), at }
    case '!_':
    case '-_':
      return { kind: 'unary', op: node.op === '!_' ? '!' : '-', of: expressionOf(node.args), at }
    default:
      return { kind: 'binary', op: node.op, left: expressionOf(node.args[0]), right: expressionOf(node.args[1]), at }
  }
}

function literalOf(value: unknown, node: ASTNode): Literal {
  if (typeof value === 'string') return { kind: 'text', text: value }
  if (value === null || typeof value === 'boolean') return { kind: 'other', spelled: String(value) }
  if (value instanceof Uint8Array) throw new Unsupported('holds bytes, which rules have no use for', node.start)
  return { kind: 'other', spelled: node.input.slice(node.start, node.end) }
}

const words: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a text',
  BYTES: 'bytes',
  BOOLEAN: 'true or false',
  NULL: 'null',
  IDENTIFIER: 'a name',
  PLUS: '`+`',
  MINUS: '`-`',
  MULTIPLY: '`*`',
  DIVIDE: '`/`',
  MODULO: '`%`',
  EQ: '`==`',
  NE: '`!=`',
  LT: '`<`',
  LE: '`<=`',
  GT: '`>`',
  GE: '`>=`',
  AND: '`&&`',
  OR: '`||`',
  NOT: '`!`',
  IN: '`in`',
  LPAREN: '`(`',
  RPAREN: '`)`',
  LBRACKET: '`[`',
  RBRACKET: '`]`',
  LBRACE: '`{`',
  RBRACE: '`}`',
  DOT: '`.`',
  COMMA: '`,`',
  COLON: '`:`',
  QUESTION: '`?`',
}

/** The parser's message as the end of a sentence that begins with the expression. */
function inWords(summary: string): string {
  const said = summary.replace(/\b[A-Z]{2,}\b/g, (token) => words[token] ?? token).split('\n')[0] ?? ''
  return `is not a CEL expression: ${said.charAt(0).toLowerCase()}${said.slice(1)}`
}

/** Prints a tree as text that is parsed as the same tree. */
export function printExpression(expr: Expr): string {
  switch (expr.kind) {
    case 'value':
      return expr.value.kind === 'text' ? quoted(expr.value.text) : expr.value.spelled
    case 'name':
      return expr.name
    case 'select':
      return `${printReceiver(expr.of)}.${expr.isOptional ? '?' : ''}${expr.key}`
    case 'index':
      return `${printReceiver(expr.of)}[${expr.isOptional ? '?' : ''}${printExpression(expr.key)}]`
    case 'call': {
      const called = `${expr.name}(${expr.args.map(printExpression).join(', ')})`
      return expr.on === undefined ? called : `${printReceiver(expr.on)}.${called}`
    }
    case 'list':
      return `[${expr.items.map(printExpression).join(', ')}]`
    case 'map':
      return `{${expr.entries.map(([key, value]) => `${printExpression(key)}: ${printExpression(value)}`).join(', ')}}`
    case 'choice':
      return `${printTight(expr.test)} ? ${printTight(expr.yes)} : ${printTight(expr.no)}`
    case 'binary': {
      // Chains associate to the left; with brackets around each operand they would nest as deep as they are long.
      const leans = isLink(expr, expr.left)
      return `${leans ? printExpression(expr.left) : printTight(expr.left)} ${expr.op} ${printTight(expr.right)}`
    }
    case 'unary':
      return `${expr.op}${printTight(expr.of)}`
  }
}

/** Prints an operand, in brackets where it has operators itself. */
function printTight(expr: Expr): string {
  const isLoose = expr.kind === 'choice' || expr.kind === 'binary' || expr.kind === 'unary'
  return isLoose ? `(${printExpression(expr)})` : printExpression(expr)
}

/** Prints the receiver of a field or method, in brackets where it is a number, which would take the dot for its own. */
function printReceiver(expr: Expr): string {
  const isNumber = expr.kind === 'value' && expr.value.kind === 'other'
  return isNumber ? `(${printExpression(expr)})` : printTight(expr)
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r' }

function quoted(text: string): string {
  return `"${text.replace(/["\\\n\r]/g, (character) => escapes[character] ?? '')}"`
}

/** The parts of an expression, from left to right. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'value':
    case 'name':
      return []
    case 'select':
      return [expr.of]
    case 'index':
      return [expr.of, expr.key]
    case 'call':
      return expr.on === undefined ? expr.args : [expr.on, ...expr.args]
    case 'list':
      return expr.items
    case 'map':
      return expr.entries.flat()
    case 'choice':
      return [expr.test, expr.yes, expr.no]
    case 'binary':
      return [expr.left, expr.right]
    case 'unary':
      return [expr.of]
  }
}

/** The same expression with each of its parts changed. */
export function withParts(expr: Expr, change: (part: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'value':
    case 'name':
      return expr
    case 'select':
      return { ...expr, of: change(expr.of) }
    case 'index':
      return { ...expr, of: change(expr.of), key: change(expr.key) }
    case 'call':
      return { ...expr, on: expr.on === undefined ? undefined : change(expr.on), args: expr.args.map(change) }
    case 'list':
      return { ...expr, items: expr.items.map(change) }
    case 'map':
      return { ...expr, entries: expr.entries.map(([key, value]) => [change(key), change(value)] as const) }
    case 'choice':
      return { ...expr, test: change(expr.test), yes: change(expr.yes), no: change(expr.no) }
    case 'binary':
      return { ...expr, left: change(expr.left), right: change(expr.right) }
    case 'unary':
      return { ...expr, of: change(expr.of) }
  }
}

/** Whether an expression is a list of literals alone, whose length no caller decides. */
export function isLiteralList(expr: Expr | undefined): boolean {
  return expr?.kind === 'list' && expr.items.every((item) => item.kind === 'value')
}
