import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpenAsks } from './open-asks.ts'

function open(isRolling: boolean, room = { chars: 100 }) {
  const posted: string[] = []
  const counts: number[] = []
  const asks = new OpenAsks({
    server: 'b/s',
    session: undefined,
    max: 2,
    isRolling,
    room,
    post: (id, rest) => posted.push(`${id} ${rest}`),
    onCount: (count) => counts.push(count),
  })
  const add = (id: string, params = '{}') => asks.add({ method: 'roots/list', params, id })
  return { asks, add, posted, counts, room }
}

test('what is held of open requests is bounded over all streams, and free again however they end', () => {
  const room = { chars: 10 }
  const [first, second] = [open(false, room), open(true, room)]
  const one = first.add('1', '{"a":123}')
  assert.ok(one)
  assert.deepEqual([room.chars, second.add('1')], [1, undefined])
  one.reply('"result":{}')
  assert.equal(room.chars, 10)
  for (const id of ['1', '2', '3', '4']) assert.ok(second.add(id, '[1,2]'.slice(0, 2)))
  assert.equal(room.chars, 6)
  second.asks.withdraw('3')
  second.asks.close()
  assert.equal(room.chars, 10)
})

test('the newest is refused past the bound; on a rolling stream the oldest is no longer waited for', () => {
  const fixed = open(false)
  assert.deepEqual([fixed.add('1') && 1, fixed.add('2') && 2, fixed.add('3')], [1, 2, undefined])
  const rolling = open(true)
  const [oldest, , newest] = [rolling.add('1'), rolling.add('2'), rolling.add('3')]
  oldest?.reply('"result":1')
  newest?.reply('"result":3')
  assert.deepEqual([rolling.posted, rolling.asks.count], [['3 "result":3'], 1])
})

test('a request is answered once, by whichever spelling of its id, and not after its stream is closed', () => {
  const { asks, add, posted, counts } = open(false)
  const one = add('"a"')
  const two = add('2')
  assert.deepEqual([asks.has('"\\u0061"'), asks.has('"2"'), asks.reply('"\\u0061"', '"result":1')], [true, false, true])
  one?.reply('"result":2')
  assert.equal(asks.reply('"a"', '"result":3'), false)
  asks.close()
  two?.reply('"result":4')
  assert.deepEqual([posted, counts], [['"a" "result":1'], [1, 2, 1, 0]])
})
