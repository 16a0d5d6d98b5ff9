import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ProtocolError } from '@modelcontextprotocol/client'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { ask, bearer, connects, firstRequests, type Headers, proven } from '../identity/eras.ts'
import { type Agent, allTools, shownTo } from '../identity/office.ts'
import { type AnyClient, textOf } from '../setup/clients.ts'
import { faults, issuer, type Proof, type TokenProof } from './proofs.ts'
import type { Scene } from './scene.ts'

const other: Readonly<Record<Agent, Agent>> = { sre: 'accountant', accountant: 'sre' }
/** What its selection holds, and a rule takes away. */
const denied: Readonly<Record<Agent, string>> = { sre: 'kubernetes_scale_deployment', accountant: 'ledger_approve_invoice' }
const agentNames = ['sre', 'accountant'] as const

/** Of 60 tools each agent's own person sees exactly its few, and can use no other; the other agent is closed to them. */
export async function seesFiveAndThree(t: TestContext, { office, url }: Scene, proof: Proof): Promise<void> {
  assert.deepEqual([allTools.length, shownTo.sre.length, shownTo.accountant.length], [60, 5, 3])
  for (const [name, connect] of Object.entries(connects)) {
    await t.test(`${name}: 60 tools there, 5 and 3 seen and used`, async () => {
      const admin = await connect(url('everything'), await proof.headers('admin'))
      assert.deepEqual(await namesOf(admin), allTools)
      await admin.close()
      for (const agent of agentNames) {
        const headers = await proof.headers(agent)
        const client = await connect(url(agent), headers)
        assert.deepEqual(await namesOf(client), shownTo[agent])
        const [first = ''] = shownTo[agent]
        assert.equal(await said(client, first), first.replace('_', ' did '))
        const before = office.called.length
        const unseen = allTools.filter((tool) => !shownTo[agent].includes(tool))
        for (const tool of [...unseen, denied[agent], 'nobody_has']) assert.equal(await said(client, tool), unknown(tool))
        assert.equal(office.called.length, before, 'a tool that is not seen was called')
        await client.close()
        await assert.rejects(connect(url(other[agent]), headers), /403|may not use agent/)
      }
    })
  }
  await t.test('the other agent: 403, in either era', async () => {
    for (const agent of agentNames) {
      for (const request of Object.values(firstRequests)) {
        const { status, text } = await ask(url(other[agent]), proven(request, await proof.headers(agent)))
        assert.equal(status, 403)
        assert.match(text, new RegExp(`may not use agent \\\\"[\\w/]*${other[agent]}\\\\"`))
      }
    }
  })
}

/** Without a token, or with a bad one: 401, and where to get a good one. */
export async function asksForTokens({ url }: Scene, proof: TokenProof): Promise<void> {
  const bad: readonly Headers[] = await Promise.all(faults.map(async (fault) => bearer(await proof.bad(fault))))
  for (const door of ['sre', 'accountant', 'everything'] as const) {
    for (const request of Object.values(firstRequests)) {
      for (const headers of [{}, bearer('nothing'), { 'x-api-key': 'nothing' }, ...bad]) {
        const { status, challenge } = await ask(url(door), proven(request, headers))
        assert.equal(status, 401, JSON.stringify(headers))
        const [, metadata = ''] = /^Bearer .*resource_metadata="([^"]+)"/.exec(challenge) ?? []
        const told: unknown = await (await fetch(metadata)).json()
        assert.deepEqual(told, { resource: url(door), authorization_servers: [issuer], bearer_methods_supported: ['header'] })
      }
    }
  }
}

export async function namesOf(client: AnyClient): Promise<readonly string[]> {
  return (await client.listTools()).tools.map(({ name }) => name)
}

/** What the tool said, or the error without what its transport adds. */
export async function said(client: AnyClient, name: string): Promise<string> {
  try {
    return textOf(await client.callTool({ name, arguments: {} }))
  } catch (error) {
    if (error instanceof McpError || error instanceof ProtocolError)
      return `${error.code} ${error.message.replace(/^MCP error -?\d+: /, '')}`
    throw error
  }
}

/** What is said of a tool that is not there. */
export function unknown(tool: string): string {
  return `-32602 Unknown tool: ${tool}`
}
