import { type Config, type ReferenceSource, resolveSecret } from '../../config/config.ts'
import { ServerBuffers } from '../../mcp/mcp.ts'
import { type ListEntry, planUpstream } from '../../upstream/upstream.ts'
import { version } from '../terminal/terminal.ts'
import type { Offer } from './tools-report.ts'

/**
 * Lists the tools of every server of a configuration, all at once, under the names that its backend exposes. The tools of a server that is
 * itself an mcplex are grouped by its own servers, which their prefixes tell.
 */
export async function listOffers(
  config: Config,
  from: ReferenceSource,
  onAnswer: (server: string) => void = () => {},
): Promise<readonly Offer[]> {
  const servers = Object.entries(config.backends).flatMap(([backendName, backend]) => {
    const names = Object.keys(backend.servers)
    const isPrefixed = backend.prefix === 'always' || (backend.prefix === 'conditional' && names.length > 1)
    return names.map((name) => ({ backendName, name, server: backend.servers[name], prefix: isPrefixed ? `${name}_` : '' }))
  })
  const offers = await Promise.all(
    servers.map(async ({ backendName, name, server, prefix }): Promise<readonly Offer[]> => {
      if (server === undefined) throw new Error(`${name} is no server`)
      const info = { name: 'mcplex', version }
      const plan = planUpstream(backendName, name, server, config.limits, `${info.name}/${info.version}`, (secret) =>
        resolveSecret(secret, from),
      )
      const upstream = plan.open({
        buffers: new ServerBuffers(),
        clientInfo: info,
        now: () => performance.now(),
        random: Math.random,
        events: silent,
      })
      try {
        await upstream.ensureFresh()
        onAnswer(name)
        const { state, lastError, remedy, serverName } = upstream.status()
        if (state !== 'ready')
          return [
            { kind: 'unreachable', server: name, text: `${lastError ?? 'does not answer'}${remedy === undefined ? '' : `; ${remedy}`}` },
          ]
        if (serverName === info.name && prefix === '') return byPrefix(upstream.entries('tools'), name)
        const tools = upstream.entries('tools').map(({ text, key, keyStart, keyEnd }) => {
          return `${text.slice(0, keyStart)}${JSON.stringify(prefix + key)}${text.slice(keyEnd)}`
        })
        const fullNames = upstream.entries('tools').map(({ key }) => `${name}_${key}`)
        return [{ kind: 'offer', server: name, tools, backend: backendName, fullNames }]
      } finally {
        await upstream.close(0, true)
      }
    }),
  )
  return offers.flat()
}

function byPrefix(tools: readonly ListEntry[], otherwise: string): readonly Offer[] {
  const groups = Map.groupBy(tools, ({ key }) => (key.includes('_') ? key.slice(0, key.indexOf('_')) : otherwise))
  return [...groups].map(([server, own]) => ({ kind: 'offer', server, tools: own.map(({ text }) => text) }))
}

const silent = { listChanged() {}, stateChanged() {}, dropped() {}, repaired() {} }
