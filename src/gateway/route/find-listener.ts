import type { Listener } from '../../config/config.ts'
import type { Head } from '../../mcp/mcp.ts'
import { hostnameRank, isHostnameMatch } from './hostnames.ts'

/** A socket is shared by the listeners of one address and port. */
export function socketOf(listener: Listener): string {
  return `${listener.address}|${listener.port}`
}

/**
 * Makes the lookup of the listener that a request is for: of those that share the socket on which it came, the one whose `hostname` matches
 * its host most specifically; undefined where none does.
 */
export function createFindListener<T extends { readonly listener: Listener }>(
  listeners: readonly T[],
): (head: Head, host: string) => T | undefined {
  const bySocket = Map.groupBy(
    listeners.toSorted((a, b) => hostnameRank(b.listener.hostname) - hostnameRank(a.listener.hostname)),
    ({ listener }) => socketOf(listener),
  )
  return (head, host) =>
    bySocket.get(head.listener)?.find(({ listener }) => listener.hostname === undefined || isHostnameMatch(listener.hostname, host))
}
