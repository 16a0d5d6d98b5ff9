import type { Fault } from '../objects/objects.ts'
import type { WrittenListener } from './written-listener.ts'

const withHostname = ['HTTP', 'HTTPS', 'TLS']

/**
 * Why a listener is not distinct from the Gateway's others by port, protocol and hostname. All that conflict with each other have the fault,
 * none of them wins (Gateway API, GatewaySpec.listeners). Protocols that are never served conflict with nothing.
 */
export function conflictsAmong(listeners: readonly WrittenListener[]): (listener: WrittenListener) => readonly Fault[] {
  const byPort = Map.groupBy(
    listeners.filter(({ port, protocol }) => port !== undefined && withHostname.includes(protocol)),
    ({ port }) => port,
  )
  return (listener) => {
    if (!withHostname.includes(listener.protocol)) return []
    const siblings = (byPort.get(listener.port) ?? []).filter((other) => other !== listener)
    const mixed = siblings.filter(({ protocol }) => (protocol === 'HTTP') !== (listener.protocol === 'HTTP'))
    const equal = siblings.filter(({ protocol, hostname }) => protocol === listener.protocol && hostname === listener.hostname)
    return [
      ...(mixed.length === 0 ? [] : [protocolConflict(listener, mixed)]),
      ...(equal.length === 0 ? [] : [hostnameConflict(listener, equal)]),
    ]
  }
}

function protocolConflict({ place, port, protocol }: WrittenListener, others: readonly WrittenListener[]): Fault {
  const message = `${place}: port ${port} can't speak ${protocol} beside ${named(others)}: take another port`
  return { reason: 'ProtocolConflict', message }
}

function hostnameConflict({ place, port, hostname }: WrittenListener, others: readonly WrittenListener[]): Fault {
  const host = hostname === undefined ? 'no hostname' : `hostname ${hostname}`
  const message = `${place}: port ${port} with ${host} is that of ${named(others)} too: take another port or hostname`
  return { reason: 'HostnameConflict', message }
}

function named(listeners: readonly WrittenListener[]): string {
  return listeners.map(({ name, protocol }) => `listener ${name} (${protocol})`).join(', ')
}
