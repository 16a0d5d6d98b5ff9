import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSealer } from '../../era/era.ts'
import type { Ask } from '../../mcp/mcp.ts'
import { createAsks } from './asks.ts'

const key = { id: 'k', secret: randomBytes(32) }
const sealer = createSealer('ask', [key], randomBytes)
const process = (name: string) => createAsks(() => sealer, name)
const scope = { route: 'r', caller: 'c', session: 's' }
const ask: Ask = { method: 'roots/list', params: '{}', server: 'default/math', id: '"7"', reply() {}, onWithdrawn() {} }
const spoken = (id: string) => JSON.parse(id) as string

test('a relayed request’s answer finds its server, at any replica', () => {
  const id = spoken(process('one').relayed(scope, ask))
  for (const name of ['one', 'two'])
    assert.deepEqual(process(name).take(scope, id, '"result":{}'), { kind: 'relay', server: 'default/math', id: '"7"' })
})

test('an answer that is waited for is taken once, and only by its own process', async () => {
  const [one, two] = [process('one'), process('two')]
  const [first, second] = [one.waitFor(scope), one.waitFor(scope)]
  assert.ok(first && second)
  assert.equal(two.take(scope, spoken(first.id), '"result":{"from":2}').kind, 'elsewhere')
  assert.equal(one.take(scope, spoken(second.id), '"result":{"n":2}').kind, 'taken')
  assert.equal(one.take(scope, spoken(first.id), '"error":{"code":1}').kind, 'taken')
  assert.deepEqual(await Promise.all([first.answer, second.answer]), ['"error":{"code":1}', '"result":{"n":2}'])
  assert.equal(one.take(scope, spoken(first.id), '"result":{}').kind, 'late')
})

test('what is no longer waited for is late', () => {
  const asks = process('one')
  const waiting = asks.waitFor(scope)
  assert.ok(waiting)
  waiting.stop()
  assert.equal(asks.take(scope, spoken(waiting.id), '"result":{}').kind, 'late')
})

test('no other session, caller or route answers, and no altered id is one', () => {
  const asks = process('one')
  const id = spoken(asks.relayed(scope, ask))
  for (const other of [{ session: 't' }, { caller: 'd' }, { route: 'q' }])
    assert.equal(asks.take({ ...scope, ...other }, id, '"result":{}').kind, 'unknown', JSON.stringify(other))
  for (const bad of ['', '1', `${id}A`, id.slice(0, -2), `${id.slice(0, 12)}x${id.slice(13)}`])
    assert.equal(asks.take(scope, bad, '"result":{}').kind, 'unknown', bad)
})

test('no more answers are waited for than the bounds: of one session, and of all', () => {
  const asks = process('one')
  const waitFor = (session: string) => asks.waitFor({ ...scope, session })
  const own = Array.from({ length: 128 }, () => waitFor('s'))
  assert.ok(own.every((one) => one !== undefined))
  assert.equal(waitFor('s'), undefined)
  own[0]?.stop()
  own[0]?.stop()
  assert.ok(waitFor('s'))
  assert.equal(waitFor('s'), undefined)
  const others = Array.from({ length: 10_000 - 128 }, (_, n) => waitFor(`t${n}`))
  assert.ok(others.every((one) => one !== undefined))
  assert.equal(waitFor('u'), undefined)
  others[0]?.stop()
  assert.ok(waitFor('u'))
})
