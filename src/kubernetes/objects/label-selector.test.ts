import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSelected, selectorFault } from './label-selector.ts'

const labels = { team: 'ops', stage: 'live' }
const expression = (key: unknown, operator: unknown, values?: unknown) => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
})

describe('a label selector', () => {
  const cases: readonly (readonly [string, unknown, boolean])[] = [
    ['that is empty takes all', {}, true],
    ['takes an equal label', { matchLabels: { team: 'ops' } }, true],
    ['takes none with another value', { matchLabels: { team: 'dev' } }, false],
    ['takes none without the label', { matchLabels: { owner: 'ops' } }, false],
    ['wants every label', { matchLabels: { team: 'ops', stage: 'test' } }, false],
    ['takes what is In', expression('team', 'In', ['dev', 'ops']), true],
    ['refuses what is not In', expression('team', 'In', ['dev']), false],
    ['refuses what is absent and must be In', expression('owner', 'In', ['ops']), false],
    ['refuses what must be NotIn', expression('team', 'NotIn', ['ops']), false],
    ['takes another value with NotIn', expression('team', 'NotIn', ['dev']), true],
    ['takes an absent label with NotIn', expression('owner', 'NotIn', ['ops']), true],
    ['takes what Exists', expression('team', 'Exists'), true],
    ['refuses what must exist', expression('owner', 'Exists', []), false],
    ['takes what DoesNotExist', expression('owner', 'DoesNotExist'), true],
    ['refuses what must not exist', expression('team', 'DoesNotExist'), false],
    ['wants labels and expressions', { matchLabels: { team: 'ops' }, ...expression('stage', 'NotIn', ['live']) }, false],
    ['knows no inherited label', expression('constructor', 'DoesNotExist'), true],
    ['takes null for absent', { matchLabels: null, matchExpressions: null }, true],
  ]
  for (const [name, selector, expected] of cases) {
    it(name, () => {
      assert.equal(selectorFault(selector), undefined)
      assert.equal(isSelected(selector, labels), expected)
    })
  }

  const invalid: readonly (readonly [unknown, string])[] = [
    [undefined, 'is not a label selector'],
    [[], 'is not a label selector'],
    ['team=ops', 'is not a label selector'],
    [{ matchLabel: {} }, '.matchLabel is not known'],
    [{ matchLabels: ['team'] }, '.matchLabels is not a map'],
    [{ matchLabels: { team: 1 } }, '.matchLabels is not a map'],
    [{ matchExpressions: {} }, '.matchExpressions is not a list'],
    [expression('team', 'in', ['ops']), '.matchExpressions[0]'],
    [expression('team', 'Gt', ['1']), '.matchExpressions[0]'],
    [expression('team', 'In', []), '.matchExpressions[0]'],
    [expression('team', 'NotIn'), '.matchExpressions[0]'],
    [expression('team', 'In', 'ops'), '.matchExpressions[0]'],
    [expression('team', 'NotIn', [1]), '.matchExpressions[0]'],
    [expression('owner', 'DoesNotExist', ['x']), '.matchExpressions[0]'],
    [expression('', 'DoesNotExist'), '.matchExpressions[0]'],
    [{ matchExpressions: [{ key: 'owner', operator: 'DoesNotExist', or: true }] }, '.matchExpressions[0]'],
    [{ matchExpressions: ['x'] }, '.matchExpressions[0]'],
  ]
  for (const [selector, fault] of invalid) {
    it(`takes nothing and says ${fault}: ${JSON.stringify(selector)}`, () => {
      assert.ok(selectorFault(selector)?.includes(fault))
      assert.equal(isSelected(selector, labels), false)
      assert.equal(isSelected(selector, undefined), false)
    })
  }
})
