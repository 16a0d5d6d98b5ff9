import { bytesWithin } from './document-bytes.ts'
import type { DocumentRoute } from './document-routes.ts'
import type { Fault } from './model.ts'
import type { GatewayView, RouteView } from './views.ts'

/** A Secret holds 1 MiB, and proxies read documents of this size in a moment. */
export const maxDocumentBytes = 1_000_000

interface Space {
  readonly load: Load
  readonly entries: DocumentRoute[]
}

/** Bytes of routes and of what they lead to, which is counted once however many lead there. */
interface Load {
  bytes: number
  /** How many lead to it. */
  readonly leading: Map<unknown, number>
}

/**
 * The routes that a Gateway's document has no room for, so that nobody's routes keep those of others from being served: of the namespace
 * that takes most, the youngest first; the Gateway's own namespace comes last.
 * @param entries the oldest first
 * @param spareBytes what routes, and the backends and agents that they lead to, may take together
 */
export function routesBeyond(gateway: GatewayView, entries: readonly DocumentRoute[], spareBytes: number): ReadonlyMap<RouteView, Fault> {
  const own = gateway.object.metadata.namespace ?? ''
  const sizes = new Map<unknown, number>()
  const sizeOf = (fragment: unknown): number => {
    const bytes = sizes.get(fragment) ?? bytesWithin(fragment, maxDocumentBytes)
    sizes.set(fragment, bytes)
    return bytes
  }
  const change = (load: Load, { fragment, targets }: DocumentRoute, by: 1 | -1): void => {
    load.bytes += by * sizeOf(fragment)
    for (const view of new Set(targets.flatMap((target) => [...target.backends, ...target.agents]))) {
      const before = load.leading.get(view) ?? 0
      load.leading.set(view, before + by)
      if (before === 0 || before + by === 0) load.bytes += by * sizeOf(view.fragment)
    }
  }
  const total: Load = { bytes: 0, leading: new Map() }
  const spaces = new Map<string, Space>()
  for (const entry of entries) {
    change(total, entry, 1)
    if (entry.route === undefined) continue
    const namespace = entry.route.object.metadata.namespace ?? ''
    const space: Space = spaces.get(namespace) ?? { load: { bytes: 0, leading: new Map() }, entries: [] }
    spaces.set(namespace, space)
    space.entries.push(entry)
    change(space.load, entry, 1)
  }
  const beyond = new Map<RouteView, Fault>()
  while (total.bytes > spareBytes) {
    const left = [...spaces].filter(([, space]) => space.entries.length > 0)
    const others = left.filter(([namespace]) => namespace !== own)
    const [largest] = (others.length > 0 ? others : left).toSorted(([, one], [, other]) => other.load.bytes - one.load.bytes)
    if (largest === undefined) break
    const [namespace, space] = largest
    const last = space.entries.pop()
    if (last?.route === undefined) break
    change(total, last, -1)
    change(space.load, last, -1)
    const message =
      `the configuration of Gateway ${gateway.key} would be larger than ${maxDocumentBytes} bytes, and routes of namespace ` +
      `${namespace}, with what they lead to, take most of it: write less, or give them a Gateway of their own`
    beyond.set(last.route, { reason: 'UnsupportedValue', message })
  }
  return beyond
}
