import type { TestContext } from 'node:test'
import { type Gateway, startGateway } from '../gateway.ts'
import { until } from '../setup/wait.ts'
import { type Agent, agents, type Office } from './office.ts'

/** How the document says who may use an agent. */
export type Access = Readonly<Record<Agent, string>>

/** A gateway in front of the office's servers. */
export interface House {
  readonly gateway: Gateway
  /** The endpoint of an agent, as clients know it. */
  url(agent: Agent | 'everything'): string
}

/** Which groups of the realm may use what. */
export const byGroup: Access = { sre: '"sre" in jwt.groups', accountant: '"accounting" in jwt.groups' }

/**
 * Starts a gateway for the agents, and `everything`, which nobody is kept from who has proven who he is. Its own URL is in what it asks of
 * tokens, and so the document is written once the address is known.
 * @param authenticate the key's YAML, given the URLs of the endpoints, as one flow mapping
 */
export async function openHouse(
  t: TestContext,
  office: Office,
  access: Access,
  authenticate: (urls: readonly string[]) => string | Promise<string>,
): Promise<House> {
  const gateway = await startGateway(t, 'servers: {}\n')
  const url = (agent: Agent | 'everything') => `${gateway.origin}/mcp/${agent}`
  const urls = [url('sre'), url('accountant'), url('everything')]
  const lines = Object.entries(agents).map(
    ([name, { selects }]) => `  ${name}: { tools: [${selects}], access: '${access[name as Agent]}' }\n`,
  )
  const document = `${office.document}agents:\n${lines.join('')}  everything: { tools: ["*"] }\n`
  await gateway.write(`${document}policies:\n  authenticate: ${await authenticate(urls)}\n`, 'by rename')
  const errors = () =>
    gateway
      .log()
      .match(/^.*"level":"error".*$/gm)
      ?.join('\n') ?? ''
  await until('the document in force', async () => ((await bare(url('sre'))) === 401 ? true : undefined), { explain: errors })
  return { gateway, url }
}

/** The status of a request that proves nothing. */
async function bare(url: string): Promise<number> {
  return (await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).status
}
