import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Call, EraName } from '../mcp/mcp.ts'
import { callOf, messageOf, servers } from './call-for-test.ts'
import { progressIdOf } from './legacy/server.ts'

const notification = (method: string, params: string, more = '') => `{"jsonrpc":"2.0","method":"${method}","params":${params}${more}}`
const progress = (token: string, more = '') => notification('notifications/progress', `{ "progressToken" : ${token}, "progress":1.0}`, more)
const log = (level: string, more = '') => notification('notifications/message', `{"level":"${level}","data":1.0}`, more)
const complete = notification('notifications/elicitation/complete', '{"elicitationId":"e"}')

function passed(client: EraName, server: EraName, notice: string, token: string | undefined, more: Partial<Call> = {}): string | undefined {
  const params = token === undefined ? '{"name":"x"}' : `{"name":"x","_meta":{"progressToken":${token}}}`
  const message = messageOf(notice)
  return servers[server].notice(callOf(client, 'tools/call', params, more), message, JSON.parse(notice).method, 7)
}

type Row = readonly [
  name: string,
  client: EraName,
  server: EraName,
  token: string | undefined,
  notice: string,
  got: string | undefined,
  more?: Partial<Call>,
]

const pairs: readonly (readonly [EraName, EraName])[] = [
  ['legacy', 'legacy'],
  ['legacy', 'modern'],
  ['modern', 'legacy'],
  ['modern', 'modern'],
]

/** What holds in every pairing; the token is what a server of that era was given. */
const everywhere: readonly Row[] = pairs.flatMap(([client, server]): Row[] => {
  const own = server === 'legacy' ? '7' : '"p"'
  const level = { logLevel: 'warning' } as const
  return [
    ['progress of the call', client, server, '"p"', progress(own), progress('"p"')],
    ['progress of another call', client, server, '"p"', progress('8'), undefined],
    ['progress of another type of token', client, server, '"p"', progress(server === 'legacy' ? '"7"' : '5'), undefined],
    ['progress that nobody asked for', client, server, undefined, progress(own), undefined],
    ['progress without a token', client, server, '"p"', notification('notifications/progress', '{"progress":1}'), undefined],
    ['progress with an id', client, server, '"p"', progress(own, ',"id":1'), undefined],
    ['progress with a result', client, server, '"p"', progress(own, ',"result":{}'), undefined],
    ['a log message that is severe enough', client, server, undefined, log('error'), log('error'), level],
    ['a log message just severe enough', client, server, undefined, log('warning'), log('warning'), level],
    ['a log message that is not severe enough', client, server, undefined, log('info'), undefined, level],
    ['a log message of no level', client, server, undefined, log('loud'), undefined, level],
    ['a log message with an error', client, server, undefined, log('error', ',"error":{}'), undefined, level],
    ['a change of a list', client, server, undefined, notification('notifications/tools/list_changed', '{}'), undefined],
    ['a request', client, server, undefined, notification('roots/list', '{}', ',"id":1'), undefined],
  ]
})

const table: readonly Row[] = [
  ...everywhere,
  ['a log message without a level asked for', 'legacy', 'legacy', undefined, log('debug'), log('debug')],
  ['a log message without a level asked for', 'legacy', 'modern', undefined, log('emergency'), undefined],
  ['a log message without a level asked for', 'modern', 'legacy', undefined, log('emergency'), undefined],
  ['a log message without a level asked for', 'modern', 'modern', undefined, log('emergency'), undefined],
  ['a log message with an id', 'legacy', 'legacy', undefined, log('debug', ',"id":null'), undefined],
  ['the end of a visit to a URL', 'legacy', 'legacy', undefined, complete, complete],
  ['the end of a visit to a URL', 'modern', 'legacy', undefined, complete, undefined],
  ['the end of a visit to a URL', 'legacy', 'modern', undefined, complete, undefined],
  ['the end of a visit to a URL', 'modern', 'modern', undefined, complete, undefined],
  ['a token in another spelling', 'legacy', 'modern', '"\\u0070"', progress('"p"'), progress('"\\u0070"')],
  ['a number in another spelling', 'modern', 'modern', '1.0', progress('1'), progress('1.0')],
]

for (const [name, client, server, token, notice, got, more] of table)
  test(`${client} client, ${server} server: ${name}`, () => assert.equal(passed(client, server, notice, token, more), got))

test('progress tokens come back exactly as the client wrote them, in every pairing', () => {
  const token = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.integer().map(String),
    fc.constantFrom('1.0', '1e3', '-0', '12345678901234567890', '"\\u0061\\/"', '""'),
  )
  fc.assert(
    fc.property(token, fc.constantFrom(...pairs), (own, [client, server]) => {
      const call = callOf(client, 'tools/call', `{"_meta":{"progressToken":${own}},"name":"x"}`)
      const body = JSON.parse(servers[server].call(call, { name: 'x', paramHeaders: [] }, 7, undefined).body)
      const heard: unknown = body.params._meta.progressToken
      // What a server makes of it: it reads and writes JSON.
      const notice = messageOf(progress(JSON.stringify(heard)))
      assert.equal(servers[server].notice(call, notice, 'notifications/progress', 7), progress(own))
    }),
  )
})

test('the call that a legacy server’s progress belongs to', () => {
  assert.equal(progressIdOf(messageOf(progress('7'))), 7)
  for (const notice of [progress('"7"'), progress('7', ',"id":7'), notification('notifications/progress', '{}')])
    assert.equal(progressIdOf(messageOf(notice)), undefined)
})
