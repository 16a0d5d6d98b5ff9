import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { objectText } from '../../mcp/json/arbitrary-json-for-test.ts'
import { type AskMethod, capability, scanMessage } from '../../mcp/mcp.ts'
import { messageOf } from '../call-for-test.ts'
import { askOf, isAskMethod, requiredFor } from './ask-of.ts'

const sent = (method: string, more: string) => askOf(messageOf(`{"jsonrpc":"2.0","method":"${method}"${more}}`), method)
const roots = (more: string) => sent('roots/list', more)

test('a server’s request to the client, with its id and params as they were sent', () => {
  assert.deepEqual(roots(',"id":7'), { method: 'roots/list', params: '{}', id: '7' })
  assert.deepEqual(sent('sampling/createMessage', ',"id":"\\u0061","params":{ "maxTokens":1.0 }'), {
    method: 'sampling/createMessage',
    params: '{ "maxTokens":1.0 }',
    id: '"\\u0061"',
  })
  assert.equal(sent('elicitation/create', `,"id":"${'x'.repeat(1024)}"`)?.id.length, 1026)
})

test('no other message is one', () => {
  for (const more of ['', ',"id":null', ',"id":1.5', ',"id":1e3', ',"id":{}', `,"id":"${'x'.repeat(1025)}"`])
    assert.equal(roots(more), undefined)
  for (const more of [',"id":1,"result":{}', ',"id":1,"error":{}', ',"id":1,"params":[]']) assert.equal(roots(more), undefined)
  for (const method of ['ping', 'tools/call', 'notifications/message', 'toString']) assert.equal(sent(method, ',"id":1'), undefined)
})

test('the progress token and the task go, all else stays', () => {
  const params = (text: string) => sent('elicitation/create', `,"id":1,"params":${text}`)?.params
  assert.equal(params('{"task":{}, "message" : "m"}'), '{"message" : "m"}')
  assert.equal(params('{"_meta":{"progressToken":1,"k":1.0},"message":"m"}'), '{"message":"m","_meta":{"k":1.0}}')
  assert.equal(params('{"_meta":{"k":1.0},"task":1}'), '{"_meta":{"k":1.0}}')
  assert.equal(params('{ "_meta":{"k":1.0} }'), '{ "_meta":{"k":1.0} }')
  fc.assert(
    fc.property(objectText({ repeats: false }), (text) => {
      const message = `{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":${text}}`
      fc.pre(scanMessage(message, { depth: 64, tokens: 10_000 }).kind === 'message')
      const { task: _, _meta, ...rest } = JSON.parse(text)
      const { progressToken: __, ...meta } = typeof _meta === 'object' && _meta !== null ? _meta : {}
      const got = JSON.parse(params(text) ?? 'null')
      if (typeof _meta === 'object' && _meta !== null && !Array.isArray(_meta)) assert.deepEqual(got, { ...rest, _meta: meta })
      else assert.deepEqual(got, _meta === undefined ? rest : { ...rest, _meta })
    }),
  )
})

test('what the client must be able to do', () => {
  const rows: readonly (readonly [AskMethod, string, number])[] = [
    ['roots/list', '{}', capability.roots],
    ['elicitation/create', '{"message":"m"}', capability.elicitationForm],
    ['elicitation/create', '{"mode":"form"}', capability.elicitationForm],
    ['elicitation/create', '{"mode":7}', capability.elicitationForm],
    ['elicitation/create', '{"mode":"\\u0075rl"}', capability.elicitationUrl],
    ['sampling/createMessage', '{"includeContext":"thisServer"}', capability.sampling],
    ['sampling/createMessage', '{"tools":[]}', capability.sampling | capability.samplingTools],
    ['sampling/createMessage', '{"toolChoice":{}}', capability.sampling | capability.samplingTools],
  ]
  for (const [method, params, needed] of rows) {
    assert.equal(requiredFor({ method, params }), needed, params)
    assert.ok(isAskMethod(method))
  }
  assert.equal(isAskMethod(undefined), false)
})
