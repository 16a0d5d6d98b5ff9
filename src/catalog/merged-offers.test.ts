import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noOffers, type Offers } from '../mcp/mcp.ts'
import { type Options, open, unmet, upstream } from './open-for-test.ts'

function server(name: string, offered: Partial<Offers>) {
  return Object.assign(upstream(name, {}), { offered: { ...noOffers, ...offered } })
}

const a = server('a', { tools: true, prompts: true, completions: true })
const b = server('b', { resources: true, subscribe: true, logging: true, apps: '{"b":1}' })
const c = server('c', { resources: true, apps: '{"c":1}' })

const tools = { ...noOffers, tools: true, toolsChange: true }
const prompts = { prompts: true, promptsChange: true }
const resources = { resources: true, resourcesChange: true }

const rows: readonly (readonly [string, Parameters<typeof open>[0], Options['selection'], Offers])[] = [
  ['nothing is known yet', [unmet('a', 'connecting'), unmet('b', 'down')], undefined, tools],
  ['there is no server', [], undefined, tools],
  ['the only one that is known has no tools', [c, unmet('b', 'down')], undefined, { ...noOffers, ...resources, apps: '{"c":1}' }],
  [
    'all are known: the union',
    [a, b, c],
    undefined,
    { ...tools, ...prompts, ...resources, completions: true, subscribe: true, logging: true, apps: '{"b":1}' },
  ],
  ['an agent selects tools alone', [a, b, c], { tools: ['a_*'] }, { ...tools }],
  ['an agent selects what cannot be', [a, b, c], { prompts: ['b_*', '!a_*'], resources: ['a+*'] }, { ...tools, logging: true }],
  [
    'an agent selects of some servers',
    [a, b, c],
    { prompts: ['*'], resources: ['c+x:1'] },
    { ...tools, ...prompts, ...resources, completions: true, logging: true, apps: '{"c":1}' },
  ],
]

for (const [title, servers, selection, expected] of rows) {
  test(`what is offered where ${title}`, () => {
    assert.deepEqual(open(servers, selection === undefined ? {} : { selection }).catalog.offers(), expected)
  })
}

test('a server that went down still offers what it did', () => {
  const gone = Object.assign(server('a', { tools: true, ...prompts }), { state: 'down' as const })
  assert.deepEqual(open([gone]).catalog.offers(), { ...tools, ...prompts })
})
