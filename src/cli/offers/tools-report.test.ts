import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toolTokens } from './tokens.ts'
import { type Offer, reportTools, showTools } from './tools-report.ts'

const add = JSON.stringify({
  name: 'math_add',
  title: 'Not shown to models by most clients',
  description: 'Adds two numbers.\nSecond line.',
  inputSchema: { type: 'object', properties: { a: { type: 'number' } } },
  _meta: { x: 'not shown' },
})

test('a tool costs a quarter of the characters of its name, description and schema', () => {
  const shown =
    '{"name":"math_add","description":"Adds two numbers.\\nSecond line.","inputSchema":{"type":"object","properties":{"a":{"type":"number"}}}}'
  assert.equal(toolTokens(add), Math.ceil(shown.length / 4))
  assert.equal(toolTokens('{"name":"x","inputSchema":{}}'), 8)
})

test('the table groups by server, adds up, names what is missing, and cuts long lines', () => {
  const offers: readonly Offer[] = [
    { kind: 'offer', server: 'math', tools: [add, add.replace('math_add', 'math_multiply')] },
    { kind: 'unreachable', server: 'date', text: 'does not answer' },
  ]
  const report = reportTools(offers)
  assert.equal(report.tools, 2)
  assert.equal(report.tokens, report.servers[0]?.tokens)
  assert.deepEqual(showTools(report, 42).split('\n'), [
    '  TOOL           ARGS  TOKENS',
    `math: 2 tools, ≈ ${report.tokens} tokens`,
    '  math_add          1  ≈   34  Adds two n…',
    '  math_multiply     1  ≈   36  Adds two n…',
    'date: does not answer',
    `in all: 2 tools, ≈ ${report.tokens} tokens each time a model is shown the list`,
  ])
})

test("a server's words cannot act on the terminal", () => {
  const nasty = JSON.stringify({ name: 'x\u001b[2J', description: 'y\u202ez', inputSchema: {} })
  const text = showTools(reportTools([{ kind: 'offer', server: 's', tools: [nasty] }]))
  assert.ok(text.includes('x\\u001b[2J') && text.includes('y\\u202ez'))
})
