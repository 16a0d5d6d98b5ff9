import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../json/json.ts'
import { scanMessage, textOf } from '../json/json.ts'
import { type Method, methods } from './methods.ts'
import { namedBy, type Subject, subjectOf } from './subject.ts'

function messageOf(method: string, params: string | undefined): Message {
  const message = scanMessage(`{"jsonrpc":"2.0","id":1,"method":"${method}"${params === undefined ? '' : `,"params":${params}`}}`, {
    depth: 16,
    tokens: 100,
  })
  assert.ok(message.kind === 'message')
  return message
}

/** Method, params, the kind and the name, and the name's characters in the message. */
const named: readonly (readonly [Method, string, Subject['kind'], string, string])[] = [
  ['tools/call', '{"name":"s_add","arguments":{"name":"x"}}', 'tools', 's_add', '"s_add"'],
  ['tools/call', '{ "arguments" : {} , "n\\u0061me" : "s_\\u00e9\\"" }', 'tools', 's_é"', '"s_\\u00e9\\""'],
  ['tools/call', '{"name":""}', 'tools', '', '""'],
  ['prompts/get', '{"name":"p","uri":"x"}', 'prompts', 'p', '"p"'],
  ['resources/read', '{"name":"x","uri":"s+file:\\/\\/a"}', 'resources', 's+file://a', '"s+file:\\/\\/a"'],
  ['completion/complete', '{"argument":{"name":"x"},"ref":{"uri":"x","type":"ref/prompt","name":"p"},"name":"y"}', 'prompts', 'p', '"p"'],
  [
    'completion/complete',
    '{"ref":{"name":"x","type":"ref/resource","uri":"s+f:///{y}"},"uri":"z"}',
    'resources',
    's+f:///{y}',
    '"s+f:///{y}"',
  ],
]

for (const [method, params, kind, name, place] of named)
  test(`${method} ${params} names ${name}`, () => {
    const message = messageOf(method, params)
    const subject = subjectOf(message, method)
    assert.ok(subject !== undefined && subject.kind !== 'refused')
    assert.deepEqual([subject.kind, subject.name, textOf(message.text, subject.place)], [kind, name, place])
    // In the params that were meant, not where the same characters stand before them.
    assert.ok(subject.place.start > message.text.indexOf('"params"'))
  })

const nameless: readonly (readonly [Method, string | undefined])[] = [
  ['tools/call', undefined],
  ['tools/call', '{}'],
  ['tools/call', '{"uri":"x"}'],
  ['tools/call', '{"name":7}'],
  ['tools/call', '{"name":null}'],
  ['tools/call', '{"name":["x"]}'],
  ['prompts/get', '{"arguments":{"name":"x"}}'],
  ['resources/read', '{"name":"x"}'],
  ['resources/read', '{"uri":{}}'],
  ['completion/complete', undefined],
  ['completion/complete', '{"name":"p","uri":"x"}'],
  ['completion/complete', '{"ref":"ref/prompt"}'],
  ['completion/complete', '{"ref":{"name":"p"}}'],
  ['completion/complete', '{"ref":{"type":"ref/prompt","uri":"p"}}'],
  ['completion/complete', '{"ref":{"type":"ref/resource","name":"p"}}'],
  ['completion/complete', '{"ref":{"type":"ref/tool","name":"p","uri":"p"}}'],
  ['completion/complete', '{"ref":{"type":["ref/prompt"],"name":"p"}}'],
]

for (const [method, params] of nameless)
  test(`${method} ${params} names nothing`, () => {
    const refusal = subjectOf(messageOf(method, params), method)
    assert.ok(refusal?.kind === 'refused')
    assert.equal(refusal.reason, 'invalid-params')
    assert.ok(refusal.text.startsWith(`${method} needs `), refusal.text)
  })

test('methods that name nothing have no subject, whatever their params hold', () => {
  const others = (Object.keys(methods) as Method[]).filter((method) => named.every(([one]) => one !== method))
  assert.ok(others.length > 0)
  for (const method of others) assert.equal(subjectOf(messageOf(method, '{"name":"x","uri":"y","ref":{}}'), method), undefined, method)
})

test('subscriptions name resources; a method that is not known names nothing', () => {
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    const subject = namedBy(messageOf(method, '{"uri":"s+x"}'), method, 'uri')
    assert.deepEqual([subject.kind, 'name' in subject && subject.name], ['resources', 's+x'])
    assert.equal(namedBy(messageOf(method, '{"name":"s+x"}'), method, 'uri').kind, 'refused')
  }
  assert.equal(namedBy(messageOf('no/such', '{"uri":"x"}'), 'no/such', 'uri').kind, 'refused')
})
