import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Environment } from '@marcbachmann/cel-js'
import fc from 'fast-check'
import { type Expr, printExpression, readExpression, withParts } from './syntax.ts'

const text = fc.string({ unit: 'binary', maxLength: 6 }).filter((value) => value.isWellFormed())
const leaf = fc.oneof(
  fc.constantFrom('a', 'b.c', 'true', 'false', 'null', '1', '2.5', '1e30', '7u', '0x1F', '"x"', "r'\\d'", "'it''s'.size()"),
  text.map((value) => JSON.stringify(value)),
)
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '||', '==', '!=', '<', '+', '-', '*', '/', '%', 'in'), tie('expression'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(tie('expression'), fc.constantFrom('&&', '==', '-', '/'), tie('expression'))
      .map(([left, op, right]) => `(${left}) ${op} (${right})`),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([test, yes, no]) => `(${test}) ? ${yes} : (${no})`),
    tie('expression').map((of) => `!(${of})`),
    tie('expression').map((of) => `-(${of})`),
    tie('expression').map((of) => `(${of}).size()`),
    tie('expression').map((of) => `(${of})[0]`),
    fc.array(tie('expression'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    tie('expression').map((of) => `{"k": ${of}}`),
    tie('expression').map((of) => `[1, 2].exists(x, ${of})`),
  ),
}))

/** Places differ after printing; nothing else may. */
function withoutPlaces(expr: Expr): Expr {
  return { ...withParts(expr, withoutPlaces), at: 0 } as Expr
}

test('what is printed is read as the same tree', () => {
  let read = 0
  fc.assert(
    fc.property(expression, (source) => {
      const tree = readExpression(source)
      if (tree.kind === 'fault') return
      read++
      const again = readExpression(printExpression(tree))
      assert.notEqual(again.kind, 'fault', printExpression(tree))
      if (again.kind !== 'fault') assert.deepEqual(withoutPlaces(again), withoutPlaces(tree), printExpression(tree))
    }),
    { numRuns: 1500 },
  )
  assert.ok(read > 500, `${read} read`)
})

test('what is printed has the value of what was written', () => {
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  const resultOf = (source: string): string => {
    try {
      const value = environment.evaluate(source, { a: 5n, b: { c: 'x' } })
      return `${typeof value} ${JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))}`
    } catch {
      return 'error'
    }
  }
  fc.assert(
    fc.property(expression, (source) => {
      const tree = readExpression(source)
      if (tree.kind !== 'fault') assert.equal(resultOf(printExpression(tree)), resultOf(source), printExpression(tree))
    }),
    { numRuns: 1500 },
  )
})
