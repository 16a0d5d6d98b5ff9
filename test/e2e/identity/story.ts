import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ProtocolError } from '@modelcontextprotocol/client'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { type AnyClient, textOf } from '../setup/clients.ts'
import { legacyPost, modernPost, send } from '../setup/mcp-post.ts'
import { ask, connects, firstRequests, type Headers, proven } from './eras.ts'
import { type Agent, allTools, type Office, shownTo } from './office.ts'
import type { House } from './open-house.ts'

const other: Readonly<Record<Agent, Agent>> = { sre: 'accountant', accountant: 'sre' }
const agentNames = Object.keys(shownTo) as readonly Agent[]
const hidden = 'github_delete_repository'
/** As long as the hidden one, so that nothing but the name can differ. */
const unknown = 'github_delete_repositorx'

/**
 * Each agent's user sees its few tools of the 60 and can use these; the rest is not there, and the other agent's door is closed.
 * @param prove what an agent's own user sends
 */
export async function tellStory(
  t: TestContext,
  house: House,
  office: Office,
  prove: (agent: Agent) => Headers | Promise<Headers>,
): Promise<void> {
  for (const [name, connect] of Object.entries(connects)) {
    await t.test(`${name}: 60 tools there, 5 and 3 seen and used`, async () => {
      for (const agent of agentNames) {
        const headers = await prove(agent)
        const whole = await connect(house.url('everything'), headers)
        assert.deepEqual(await namesOf(whole), allTools)
        await whole.close()
        const client = await connect(house.url(agent), headers)
        assert.deepEqual(await namesOf(client), shownTo[agent])
        for (const tool of shownTo[agent]) assert.equal(await textOfCall(client, tool), said(tool))
        const before = office.called.length
        for (const tool of [hidden, ...shownTo[other[agent]]]) assert.equal(await textOfCall(client, tool), -32602)
        assert.equal(office.called.length, before, 'a hidden tool was called')
        await client.close()
        await assert.rejects(connect(house.url(other[agent]), headers), /403|may not use agent/)
      }
    })
  }
  for (const era of ['legacy', 'modern'] as const) {
    await t.test(`${era}: what an agent doesn't see is what is not there, byte for byte`, async () => {
      for (const agent of agentNames) {
        const headers = await prove(agent)
        const call = era === 'modern' ? await modernCall(house.url(agent), headers) : await legacyCall(house.url(agent), headers)
        const nothing = await call(unknown)
        assert.match(nothing, /"code":-32602,"message":"Unknown tool: github_delete_repositorx"/)
        assert.equal((await call(hidden)).replaceAll(hidden, unknown), nothing)
      }
    })
    await t.test(`${era}: the other agent's door is closed, and says so`, async () => {
      for (const agent of agentNames) {
        const { status, challenge, text } = await ask(house.url(other[agent]), proven(firstRequests[era], await prove(agent)))
        assert.deepEqual({ status, challenge }, { status: 403, challenge: '' })
        assert.match(text, new RegExp(`agent \\\\"${other[agent]}\\\\"`))
      }
    })
  }
}

async function namesOf(client: AnyClient): Promise<readonly string[]> {
  return (await client.listTools()).tools.map(({ name }) => name)
}

/** What the tool said, or the code of the error. */
async function textOfCall(client: AnyClient, name: string): Promise<string | number> {
  try {
    return textOf(await client.callTool({ name, arguments: {} }))
  } catch (error) {
    if (error instanceof McpError || error instanceof ProtocolError) return error.code
    throw error
  }
}

function said(tool: string): string {
  const [server = '', ...rest] = tool.split('_')
  return `${server} did ${rest.join('_')}`
}

/** Calls a tool and gives all of the reply but what differs from request to request. */
type RawCall = (tool: string) => Promise<string>

async function modernCall(url: string, headers: Headers): Promise<RawCall> {
  return async (name) => constant(await fetchOf(url, proven(modernPost(1, 'tools/call', { name, arguments: {} }), headers)))
}

async function legacyCall(url: string, headers: Headers): Promise<RawCall> {
  const { session = '' } = await send(url, proven(firstRequests.legacy, headers))
  return async (name) =>
    constant(await fetchOf(url, proven(legacyPost(session, { id: 1, method: 'tools/call', params: { name, arguments: {} } }), headers)))
}

async function fetchOf(url: string, { headers, body = '' }: ReturnType<typeof proven>): Promise<string> {
  const reply = await fetch(url, { method: 'POST', headers, body })
  const head = [...reply.headers].filter(([name]) => name !== 'date').map(([name, value]) => `${name}: ${value}`)
  return `${reply.status}\n${head.join('\n')}\n${await reply.text()}`
}

function constant(reply: string): string {
  return reply.replace(/("requestId":)"[^"]*"/, '$1"…"').replace(/^(x-request-id: ).*$/m, '$1…')
}
