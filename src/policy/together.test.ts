import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anonymous, type Head, type Item, refuse } from '../mcp/mcp.ts'
import type { Asking, DecidingRule, Policy, PolicySight, Verdict } from './seam.ts'
import { askTogether } from './together.ts'

const head: Head = { method: 'POST', path: '/mcp', query: '', host: '', listener: '', remote: '', header: () => undefined }
const asking: Asking = { caller: anonymous, head }
const tool: Item = { kind: 'tools', backend: 'main', server: 'git', name: 'push', annotations: new Map() }
const by = (place: string): DecidingRule => ({ place, text: undefined, because: 'allowed' })

function open(...policies: readonly Omit<Policy, 'name' | 'explain'>[]) {
  return askTogether(policies.map((policy) => ({ ...policy, name: 'authorize', explain: () => [] })))
}

function sight(verdict: Partial<Verdict>, reaches = true, isByCaller = true): PolicySight {
  return { sees: () => ({ isAllowed: true, mayBeRefused: false, by: undefined, ...verdict }), reaches: () => reaches, isByCaller }
}

test('where no policy has a hook there is none to be asked', () => {
  const { admit, sight: seen, call } = open({})
  assert.deepEqual([admit, seen, call], [undefined, undefined, undefined])
})

test('the first policy that refuses decides, and those after it are not asked', () => {
  const asked: string[] = []
  const says = (place: string, isRefused: boolean) => () => {
    asked.push(place)
    return isRefused ? { ...refuse('access', place), by: by(place) } : { kind: 'pass' as const, by: by(place) }
  }
  const hooks = [says('a', false), says('b', true), says('c', true)]
  for (const policies of [open(...hooks.map((admit) => ({ admit }))), open(...hooks.map((call) => ({ call })))]) {
    const said = policies.admit?.(asking) ?? policies.call?.(asking, tool, 'tools/call', undefined)
    assert.deepEqual(said, { ...refuse('access', 'b'), by: by('b') })
    assert.deepEqual(asked.splice(0), ['a', 'b'])
  }
})

test('of policies that all let pass, the last that decided by a rule is told', () => {
  const pass = (place: string | undefined) => ({
    admit: () => ({ kind: 'pass' as const, by: place === undefined ? undefined : by(place) }),
  })
  assert.deepEqual(open(pass('a'), pass('b'), pass(undefined)).admit?.(asking), { kind: 'pass', by: by('b') })
  assert.deepEqual(open(pass(undefined), pass(undefined)).admit?.(asking), { kind: 'pass' })
})

test('an entry is there where every policy lets it be seen', () => {
  const seen = (...sights: readonly PolicySight[]) => open(...sights.map((one) => ({ sight: one }))).sight
  const refused: Verdict = { isAllowed: false, mayBeRefused: false, by: by('no') }
  assert.deepEqual(seen(sight({ by: by('a') }), sight(refused), sight({}))?.sees(asking, tool), refused)
  const allowed = seen(sight({ by: by('a'), mayBeRefused: true }), sight({ by: by('b') }), sight({}))?.sees(asking, tool)
  assert.deepEqual(allowed, { isAllowed: true, mayBeRefused: true, by: by('b') })
  const reached = (...answers: readonly boolean[]) =>
    seen(...answers.map((reaches) => sight({}, reaches)))?.reaches(asking, 'main', 'git', 'tools')
  assert.deepEqual([reached(true, true), reached(true, false)], [true, false])
  assert.deepEqual([seen(sight({}), sight({}))?.isByCaller, seen(sight({}), sight({}, true, false))?.isByCaller], [true, false])
})
