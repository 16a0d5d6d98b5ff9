import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AskMethod } from '../../mcp/mcp.ts'
import { askFor, inputRequestOf } from './input-request.ts'

/** A request, and its params for a legacy client (those of a modern server) and as an input request (those of a legacy one). */
const table: readonly (readonly [name: string, method: AskMethod, params: string, asked: string, requested: string])[] = [
  [
    'a form',
    'elicitation/create',
    '{ "message":"m", "elicitationId":"x","requestedSchema":{"n":1.0} }',
    '{ "message":"m", "elicitationId":"x","requestedSchema":{"n":1.0} }',
    '{"method":"elicitation/create","params":{ "message":"m", "elicitationId":"x","requestedSchema":{"n":1.0} }}',
  ],
  [
    'a URL',
    'elicitation/create',
    '{ "mode" : "url","url":"https:\\/\\/x" }',
    '{"mode" : "url","url":"https:\\/\\/x","elicitationId":"own"}',
    '{"method":"elicitation/create","params":{"mode" : "url","url":"https:\\/\\/x"}}',
  ],
  [
    'a URL with an id',
    'elicitation/create',
    '{"elicitationId":"e","mode":"url"}',
    '{"mode":"url","elicitationId":"own"}',
    '{"method":"elicitation/create","params":{"mode":"url"}}',
  ],
  [
    'sampling',
    'sampling/createMessage',
    '{ "mode":"url","maxTokens":1.0 }',
    '{ "mode":"url","maxTokens":1.0 }',
    '{"method":"sampling/createMessage","params":{ "mode":"url","maxTokens":1.0 }}',
  ],
  ['roots', 'roots/list', '{}', '{}', '{"method":"roots/list"}'],
  ['roots with params', 'roots/list', '{"_meta":{}}', '{"_meta":{}}', '{"method":"roots/list","params":{"_meta":{}}}'],
]

for (const [name, method, params, asked, requested] of table)
  test(name, () => {
    assert.equal(
      askFor(method, params, () => 'own'),
      asked,
    )
    assert.equal(inputRequestOf({ method, params }), requested)
  })
