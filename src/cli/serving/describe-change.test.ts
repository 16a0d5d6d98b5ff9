import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDocument } from '../document/document.ts'
import { describeChange } from './describe-change.ts'

function configOf(text: string) {
  const { config, problems } = parseDocument('test', text, { env: { KEY: 'hunter2' } })
  assert.ok(config !== undefined, JSON.stringify(problems))
  return config
}

const server = (port: number, more = '') => `{ http: "http://127.0.0.1:${port}/mcp"${more} }`
const many = Array.from({ length: 11 }, (_, i) => `s${i}: ${server(1)}`).join(', ')

const rows: readonly [string, string, string][] = [
  [`servers: { a: ${server(1)} }`, `servers: { a: ${server(1)} }`, 'nothing in the document itself'],
  [
    `servers: { a: ${server(1)}, old: ${server(2)} }`,
    `servers: { a: ${server(3)}, team7: ${server(4)} }`,
    'servers: +team7, -old (34 tools), ~a',
  ],
  ['servers: {}', `servers: { ${many} }`, 'servers: +s0, +s1, +s2, +s3, +s4, +s5, +s6, +s7, +3 more'],
  [
    '{ servers: {}, agents: { sre: { path: /sre }, dev: { path: /dev } } }',
    '{ servers: {}, agents: { sre: { path: /sre, tools: ["a_*"] } } }',
    'agents: -dev, ~sre',
  ],
  [
    'servers: {}',
    '{ servers: {}, listen: "127.0.0.1:1", limits: { depth: 5 }, policies: { authorize: { deny: ["true"] } } }',
    'listeners: ~default; policies: +authorize; settings: ~limits',
  ],
  [
    `servers: { a: ${server(1, ', credentials: { header: { Authorization: "Bearer hunter1" } }')} }`,
    `servers: { a: ${server(1, ', credentials: { header: { Authorization: "Bearer $' + '{KEY}" } }')} }`,
    'servers: ~a',
  ],
]

test('what a document changes is said by name, and never what a secret is', () => {
  for (const [before, after, expected] of rows)
    assert.equal(
      describeChange(configOf(before), configOf(after), (name) => (name === 'default/old' ? 34 : undefined)),
      expected,
      `${before} → ${after}`,
    )
})
