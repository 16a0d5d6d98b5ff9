import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scanMessage } from '../../mcp/mcp.ts'
import { type ListenFilter, listenFilter, listenMessages } from './listen.ts'

const nothing: ListenFilter = {
  toolsListChanged: false,
  promptsListChanged: false,
  resourcesListChanged: false,
  resourceSubscriptions: [],
}

function read(notifications: unknown) {
  const message = scanMessage(JSON.stringify({ method: 'subscriptions/listen', params: { notifications } }), { depth: 64, tokens: 10_000 })
  assert.ok(message.kind === 'message')
  return listenFilter(message)
}

test('a listen filter is read strictly', () => {
  assert.deepEqual(read({}), nothing)
  assert.deepEqual(read({ toolsListChanged: true, promptsListChanged: false, other: 7 }), { ...nothing, toolsListChanged: true })
  assert.deepEqual(read({ promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['a:b', 'a:"', 'a:b'] }), {
    toolsListChanged: false,
    promptsListChanged: true,
    resourcesListChanged: true,
    resourceSubscriptions: ['a:b', 'a:"'],
  })
  for (const wrong of [
    undefined,
    null,
    [],
    'all',
    { toolsListChanged: 1 },
    { promptsListChanged: null },
    { resourcesListChanged: 'true' },
    { resourceSubscriptions: 'a' },
    { resourceSubscriptions: null },
    { resourceSubscriptions: ['a', 7] },
  ]) {
    const verdict = read(wrong)
    assert.ok('kind' in verdict && verdict.reason === 'invalid-params', JSON.stringify(wrong))
  }
})

test('one stream holds 256 different URIs of 8,192 characters, and not one more', () => {
  const uris = Array.from({ length: 256 }, (_, i) => `a:${i}`)
  assert.deepEqual(read({ resourceSubscriptions: [...uris, ...uris] }), { ...nothing, resourceSubscriptions: uris })
  assert.ok('kind' in read({ resourceSubscriptions: [...uris, 'a:256'] }))
  assert.ok(!('kind' in read({ resourceSubscriptions: ['x'.repeat(8192)] })))
  assert.ok('kind' in read({ resourceSubscriptions: ['x'.repeat(8193)] }))
})

test('every message of a stream carries its id as it was sent', () => {
  for (const id of ['7', '"é\\""', '12345678901234567890']) {
    const meta = `"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}`
    const notification = (method: string, rest: string) => `{"jsonrpc":"2.0","method":"notifications/${method}","params":{${meta}${rest}}}`
    const honoured = { ...nothing, promptsListChanged: true, resourceSubscriptions: ['a:"'] }
    const told = ',"notifications":{"promptsListChanged":true,"resourceSubscriptions":["a:\\""]}'
    assert.equal(listenMessages.acknowledged(id, honoured), notification('subscriptions/acknowledged', told))
    assert.equal(listenMessages.acknowledged(id, nothing), notification('subscriptions/acknowledged', ',"notifications":{}'))
    assert.equal(listenMessages.changed(id, 'notifications/prompts/list_changed'), notification('prompts/list_changed', ''))
    assert.equal(listenMessages.updated(id, 'a:"'), notification('resources/updated', ',"uri":"a:\\""'))
    assert.equal(listenMessages.end(id), `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete",${meta}}}`)
  }
})

test('what is acknowledged whole is what was asked for, each URI once', () => {
  const uris = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 10 })
  const filter = fc.record(
    {
      toolsListChanged: fc.boolean(),
      promptsListChanged: fc.boolean(),
      resourcesListChanged: fc.boolean(),
      resourceSubscriptions: uris,
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(filter, (asked) => {
      const found = read(asked)
      assert.deepEqual(found, asked)
      const { notifications } = JSON.parse(listenMessages.acknowledged('1', found as ListenFilter)).params
      assert.deepEqual(read(notifications), asked)
    }),
  )
})
