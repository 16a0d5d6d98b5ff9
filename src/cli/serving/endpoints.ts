import { type Config, formatAddress, type Listener } from '../../config/config.ts'
import type { GatewayStatus } from '../../gateway/gateway.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import type { Ready } from './banner.ts'

/** The URLs that clients can use, each with its agent, in the document's order. `ports` are the ports that the listeners are bound to. */
export function endpointsOf(config: Config, ports: ReadonlyMap<string, number>): Ready['endpoints'] {
  const found = new Map<string, string | undefined>()
  for (const route of config.routes) {
    for (const rule of route.rules) {
      const [to] = rule.backends
      for (const { path } of rule.matches) {
        if (to === undefined || to.refuse !== undefined || /\/(?:sse|messages)$/.test(path.value)) continue
        for (const listener of config.listeners) {
          if (route.listeners !== undefined && !route.listeners.includes(listener.name)) continue
          const host = hostOf(listener, route.hostnames[0], ports.get(listener.name) ?? listener.port)
          found.set(`${listener.protocol.toLowerCase()}://${host}${path.value}`, to.agent)
        }
      }
    }
  }
  return [...found].map(([url, agent]) => ({ url, agent }))
}

/** One line for each server: its era and tools, or what is wrong. */
export function serverLines({ servers }: Pick<GatewayStatus, 'servers'>): Ready['servers'] {
  return servers.map(({ name, state, era, version, tools, lastError, remedy }) => {
    if (state === 'ready') return { name, isReady: true, state: `${era} (${version}), ${tools} ${tools === 1 ? 'tool' : 'tools'}` }
    if (state !== 'down') return { name, isReady: false, state: 'has not answered yet' }
    const todo = remedy === undefined ? '' : `; ${remedy}`
    return { name, isReady: false, state: escapeUnsafe(`down: ${lastError ?? 'no answer'}${todo}`) }
  })
}

/** How many servers are ready, how many there are, and the tools of those that are ready. */
export function totalsOf({ servers }: Pick<GatewayStatus, 'servers'>): Ready['totals'] {
  const ready = servers.filter(({ state }) => state === 'ready')
  return { ready: ready.length, servers: servers.length, tools: ready.reduce((sum, { tools }) => sum + tools, 0) }
}

function hostOf(listener: Listener, hostname: string | undefined, port: number): string {
  const named = [hostname, listener.hostname].find((name) => name !== undefined && !name.startsWith('*'))
  if (named !== undefined) return `${named}:${port}`
  const host = listener.address === '0.0.0.0' ? '127.0.0.1' : listener.address === '::' ? '::1' : listener.address
  return formatAddress({ host, port })
}
