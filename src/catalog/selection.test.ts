import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSelection, matches } from './selection.ts'

const letters = fc.constantFrom('a', 'b', '_', '*', '.', '\\')
const pattern = fc.string({ unit: letters, maxLength: 10 })
const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.', '\\', '*'), maxLength: 14 })

function asRegExp(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[\\.]/g, '\\$&'))
  return new RegExp(`^${parts.join('[\\s\\S]*')}$`)
}

test('a pattern matches what its regular expression does', () => {
  let matched = 0
  fc.assert(
    fc.property(pattern, name, (glob, text) => {
      const isMatch = matches(glob, text)
      if (isMatch) matched++
      assert.equal(isMatch, asRegExp(glob).test(text))
    }),
    { numRuns: 5000 },
  )
  assert.ok(matched > 50)
})

test('a name that is made from a pattern matches it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 }), { minLength: 1 }), name, (parts, filling) => {
      assert.ok(matches(parts.join('*'), parts.join(filling)))
    }),
  )
})

test('many stars cost no more than the product of both lengths', () => {
  const glob = `${'a*'.repeat(2000)}b`
  assert.equal(matches(glob, 'a'.repeat(4000)), false)
})

test('what is wanted and not unwanted is selected, in whatever order it is written; nothing selects nothing', () => {
  const names = ['gh_list', 'gh_list_all', 'gh_delete', 'k8s_get', 'gh']
  const select = (patterns: readonly string[]) => names.filter((one) => createSelection(patterns).selects(one))
  for (const [patterns, selected] of [
    [[], []],
    [['*'], names],
    [['gh_*'], ['gh_list', 'gh_list_all', 'gh_delete']],
    [['gh_list'], ['gh_list']],
    [
      ['gh_*', '!gh_delete'],
      ['gh_list', 'gh_list_all'],
    ],
    [
      ['!gh_delete', 'gh_*'],
      ['gh_list', 'gh_list_all'],
    ],
    [['!gh_delete'], []],
    [['*', '!*'], []],
    [['*list*'], ['gh_list', 'gh_list_all']],
    [['GH_*'], []],
  ] as const)
    assert.deepEqual(select(patterns), selected, JSON.stringify(patterns))
})

test('patterns without a match are told, also those that take away', () => {
  assert.deepEqual(createSelection(['gh_*', 'gh_x', '!gh_y', '!gh_list']).unused(['gh_list']), ['gh_x', '!gh_y'])
})
