import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Candidate } from '../targets/targets.ts'
import { nameServers } from './server-names.ts'

/** A selected Service by `namespace/name it lays claim to`; a static target by its name alone. */
function candidate(text: string): Candidate {
  const [name = '', namespace] = text.split('/').reverse()
  const service = namespace === undefined ? undefined : `${namespace}/${name}-service`
  const places = { whole: text, name: text, host: text, port: text, path: text, policies: text }
  return { name, target: 't', http: {}, service, others: [], policies: undefined, isSelected: namespace !== undefined, places }
}

const table: readonly (readonly [what: string, given: readonly string[], names: Readonly<Record<string, string>>])[] = [
  ['nobody in the way', ['own/a', 'x/b', 'y/c'], { 'own/a': 'a', 'x/b': 'b', 'y/c': 'c' }],
  ['the own namespace keeps its names', ['own/a', 'x/a'], { 'own/a': 'a', 'x/a': 'a-x' }],
  ['two others: neither has the bare name', ['x/a', 'y/a'], { 'x/a': 'a-x', 'y/a': 'a-y' }],
  ["one that calls itself what another would be called isn't", ['x/a', 'y/a-x'], { 'x/a': 'a', 'y/a-x': 'a-x-y' }],
  ['nor while the other is called so', ['x/a', 'y/a-x', 'z/a'], { 'x/a': 'a-x', 'y/a-x': 'a-x-y', 'z/a': 'a-z' }],
  ['endings that come to one name', ['x-y/a', 'y/a-x', 'z/a', 'z/a-x'], { 'z/a': 'a-z', 'z/a-x': 'a-x-z' }],
  ['an ending that is a name of the own namespace', ['own/a', 'own/a-x', 'x/a'], { 'own/a': 'a', 'own/a-x': 'a-x' }],
  ['an ending that is a name of a static target', ['own/a', 'a-x', 'x/a'], { 'own/a': 'a', 'a-x': 'a-x' }],
  ['a static name is no Service’s', ['a', 'own/a', 'x/a'], { a: 'a', 'x/a': 'a-x' }],
]

test('names of servers', () => {
  for (const [what, given, names] of table) {
    const statics = new Set(given.filter((text) => !text.includes('/')))
    for (const texts of [given, given.toReversed()]) {
      const { named, renamed, findings } = nameServers(texts.map(candidate), statics, 'own')
      assert.deepEqual(Object.fromEntries(named.map(({ places, name }) => [places.whole, name])), names, what)
      const written = named.filter(({ places, name }) => !places.whole.endsWith(`/${name}`) && places.whole !== name)
      assert.deepEqual([...renamed].sort(), written.map(({ places, name }) => [name, places.whole.replace(/^.*\//, '')]).sort(), what)
      assert.equal(findings.filter(({ costs }) => costs === 'part').length, given.length - named.length, what)
    }
  }
})

test('of two ports of one Service with one name the first has it', () => {
  const { named, findings } = nameServers([candidate('x/a'), candidate('x/a')], new Set(), 'own')
  assert.deepEqual(
    named.map(({ name }) => name),
    ['a'],
  )
  assert.match(findings[0]?.message ?? '', /^x\/a: the name a is taken by x\/a: give the Service another target name$/)
})
