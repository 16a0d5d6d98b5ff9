import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { expressionFault } from './cel.ts'
import { functions, methods, variables } from './vocabulary.ts'

const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')

test('the examples of docs/rules.md are rules', () => {
  const blocks = [...page.matchAll(/```cel\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim().split('\n'))
  assert.ok(blocks.flat().length > 8)
  for (const example of blocks.flat()) assert.equal(expressionFault(example, 'item'), undefined, example)
})

test('docs/rules.md names every variable and its fields', () => {
  for (const [name, shape] of Object.entries(variables.item)) {
    assert.ok(page.includes(`\`${name}`), name)
    for (const field of shape.kind === 'fields' ? Object.keys(shape.fields) : []) assert.match(page, new RegExp(`[.\`]${field}\\b`), field)
  }
})

test('docs/rules.md names every function, but for those of times and optional values', () => {
  const told = /^(get[A-Z]|hasValue$|value$|or$|of$|none$|orValue$|(string|int|uint|double|bool|dyn)$)/
  for (const name of [...functions.keys(), ...methods.keys()]) if (!told.test(name)) assert.match(page, new RegExp(`\\b${name}\\b`), name)
})
