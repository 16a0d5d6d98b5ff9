import { isIP } from 'node:net'
import { type ASTNode, Environment, EvaluationError, type TypeDeclaration } from '@marcbachmann/cel-js'
import { AddressRange } from './address-range.ts'
import { Budget } from './budget.ts'
import { Headers, Mcp, Prompt, Request, Resource, Source, Tool } from './facts.ts'
import { compileComputed, compilePattern, maxMatched, type Pattern, type PatternFault } from './pattern.ts'
import { type Shape, variables } from './vocabulary.ts'

/** The environment in which expressions of one scope are checked and evaluated, and the budget of its evaluations. */
export interface Language {
  readonly environment: Environment
  readonly budget: Budget
}

/** Limits of compiled expressions, which are larger than the written ones: see `metered.ts`. */
const limits = { maxAstNodes: 40_000, maxDepth: 600, maxListElements: 1000, maxMapEntries: 100, maxCallArguments: 16 }

const classes: Readonly<Record<string, new (...given: never) => object>> = {
  source: Source,
  request: Request,
  mcp: Mcp,
  tool: Tool,
  prompt: Prompt,
  resource: Resource,
}

const sync = { async: false }

/** `contains` on a list or map means what `in` means. */
const membership = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true }).parse('value in where')

export const languages = { item: createLanguage(variables.item), access: createLanguage(variables.access) } satisfies Readonly<
  Record<keyof typeof variables, Language>
>

function createLanguage(names: Readonly<Record<string, Shape>>): Language {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits,
  })
  const budget = new Budget()
  environment.registerType('Headers', { ctor: Headers })
  environment.registerOperator('string in Headers: bool', (name: string, headers: Headers) => headers.get(name) !== undefined)
  for (const [name, shape] of Object.entries(names)) environment.registerVariable(name, registerShape(environment, name, shape))
  registerCounted(environment, budget)
  registerMatches(environment, budget)
  registerDefault(environment)
  registerAddresses(environment)
  registerSearches(environment, budget)
  environment.registerFunction('string.lowerAscii_(): string', (text: string) => text.replace(/[A-Z]+/g, (run) => run.toLowerCase()), sync)
  environment.registerFunction('string.upperAscii_(): string', (text: string) => text.replace(/[a-z]+/g, (run) => run.toUpperCase()), sync)
  return { environment, budget }
}

/** Registers the type of a variable's fields, inner ones first; returns its name. */
function registerShape(environment: Environment, name: string, shape: Shape): string {
  if (shape.kind === 'leaf') return shape.type
  const fields = Object.fromEntries(Object.entries(shape.fields).map(([key, inner]) => [key, registerShape(environment, key, inner)]))
  const ctor = classes[name]
  if (ctor === undefined) throw new Error(`no class of facts for ${name}`)
  environment.registerType(ctor.name, { ctor, fields })
  return ctor.name
}

/** What the library hands to a macro; it publishes no types of it. */
interface Checker {
  check(node: ASTNode, context: unknown): TypeDeclaration
  getType(name: string): TypeDeclaration
  createError(code: string, message: string, node: ASTNode): Error
}
interface Evaluator {
  run(node: ASTNode, context: unknown): unknown
}
interface MacroCall {
  readonly ast: ASTNode
  readonly args: readonly [ASTNode, ASTNode]
  readonly receiver: ASTNode
}

/** `counted_(x)` returns x and spends what it costs to go through x; `weighed_(x)` also counts all that x holds. */
function registerCounted(environment: Environment, budget: Budget): void {
  const passing = (take: (value: unknown) => void) => (call: MacroCall) => ({
    async: false,
    typeCheck: (checker: Checker, _macro: unknown, context: unknown) => checker.check(call.args[0], context),
    evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
      const value = evaluator.run(call.args[0], context)
      take(value)
      return value
    },
  })
  environment.registerFunction({ signature: 'counted_(ast): dyn', handler: passing((value) => budget.takeFor(value)), ...sync })
  environment.registerFunction({ signature: 'weighed_(ast): dyn', handler: passing((value) => budget.takeForAll(value)), ...sync })
}

/** Replaces the library's `matches`, which takes exponential time for some patterns. */
function registerMatches(environment: Environment, budget: Budget): void {
  const handler = (call: MacroCall) => {
    const [pattern] = call.args
    const compiled = pattern.op === 'value' && typeof pattern.args === 'string' ? known(compilePattern(pattern.args)) : undefined
    return {
      async: false,
      typeCheck(checker: Checker, _macro: unknown, context: unknown) {
        for (const node of [call.receiver, pattern]) {
          const type = checker.check(node, context)
          const isText = type.unwrappedType.name === 'string' || type.kind === 'dyn'
          if (!isText) throw checker.createError('no_matching_overload', `matches works on texts, not on ${type.name}`, node)
        }
        return checker.getType('bool')
      },
      evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
        const text = evaluator.run(call.receiver, context)
        const source = compiled === undefined ? evaluator.run(pattern, context) : ''
        if (typeof text !== 'string' || typeof source !== 'string') throw failure('matches something that is no text')
        if (text.length > maxMatched) throw failure(`matches a text longer than ${maxMatched} characters`)
        if (compiled === undefined) budget.takeForPattern()
        const read = compiled ?? known(compileComputed(source))
        budget.takeForMatch(text, read.size)
        return read.isIn(text)
      },
    }
  }
  environment.registerFunction({ signature: 'string.matches_(ast): bool', handler, ...sync })
}

function known(read: Pattern | PatternFault): Pattern {
  if (read.kind === 'fault') throw failure(`has a bad pattern: ${read.text}`)
  return read
}

/**
 * Replaces the library's searches in texts, which take time proportional to the product of both lengths, by ones that spend it from the
 * budget. Lists and maps can be searched too.
 */
function registerSearches(environment: Environment, budget: Budget): void {
  const search =
    <Found>(find: (text: string, wanted: string) => Found) =>
    (text: string, wanted: string) => {
      budget.takeForSearch(text, wanted)
      return find(text, wanted)
    }
  const isIn = (where: unknown, value: unknown) => {
    budget.takeForAll(where)
    return membership({ value, where })
  }
  const inText = search((text, wanted) => text.includes(wanted))
  for (const name of ['contains', 'contains_']) {
    if (name !== 'contains') environment.registerFunction(`string.${name}(string): bool`, inText, sync)
    environment.registerFunction(`list.${name}(dyn): bool`, isIn, sync)
    environment.registerFunction(`map.${name}(dyn): bool`, isIn, sync)
  }
  environment.registerFunction(
    'string.indexOf_(string): int',
    search((text, wanted) => BigInt(text.indexOf(wanted))),
    sync,
  )
  environment.registerFunction(
    'string.lastIndexOf_(string): int',
    search((text, wanted) => BigInt(text.lastIndexOf(wanted))),
    sync,
  )
  environment.registerFunction(
    'string.split_(string): list<string>',
    search((text, wanted) => text.split(wanted)),
    sync,
  )
}

/** `default(x, y)` is x where x exists, else y. */
function registerDefault(environment: Environment): void {
  const handler = (call: MacroCall) => {
    const [wanted, otherwise] = call.args
    return {
      async: false,
      typeCheck(checker: Checker, _macro: unknown, context: unknown) {
        for (const node of [wanted, otherwise]) checker.check(node, context)
        return checker.getType('dyn')
      },
      evaluate(evaluator: Evaluator, _macro: unknown, context: unknown) {
        try {
          return evaluator.run(wanted, context)
        } catch (error) {
          const isAbsent = error instanceof EvaluationError && (error.code === 'no_such_key' || error.code === 'index_out_of_bounds')
          if (isAbsent) return evaluator.run(otherwise, context)
          throw error
        }
      },
    }
  }
  environment.registerFunction({ signature: 'default(ast, ast): dyn', handler, ...sync })
}

function registerAddresses(environment: Environment): void {
  environment.registerType('Cidr', { ctor: AddressRange, fields: {} })
  environment.registerFunction(
    'cidr(string): Cidr',
    (text: string) => AddressRange.read(text) ?? fail('takes a text for a range of addresses that is none'),
    sync,
  )
  environment.registerFunction(
    'Cidr.containsIP(string): bool',
    (range: AddressRange, address: string) => range.has(address) ?? fail('takes a text for an address that is none'),
    sync,
  )
  environment.registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0, sync)
}

function failure(message: string): EvaluationError {
  return new EvaluationError({ code: 'evaluation_error', message })
}

function fail(message: string): never {
  throw failure(message)
}
