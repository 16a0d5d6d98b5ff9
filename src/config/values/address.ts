import { BlockList, isIP } from 'node:net'

/** An address to listen on: an IP address without brackets or `localhost`; port 0 stands for any free port. */
export interface Address {
  readonly host: string
  readonly port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Parses `PORT`, `HOST:PORT` or `[IPv6]:PORT`; a bare port binds 127.0.0.1. Undefined where it is none of these. */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, digits = text] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]+)$/.exec(text) ?? []
  const host = ipv6 ?? name ?? '127.0.0.1'
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : Number.NaN
  if (!(port <= 65535) || (ipv6 !== undefined && isIP(ipv6) !== 6)) return undefined
  return isBindable(host) ? { host, port } : undefined
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatAddress(address: Address): string {
  return `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether a host can be bound to: an IP address without brackets, or `localhost`. */
export function isBindable(host: string): boolean {
  return host === 'localhost' || isIP(host) !== 0
}

/** Whether only this machine can reach a socket bound there: 127.0.0.0/8, `::1` or `localhost`. */
export function isLoopback(host: string): boolean {
  const family = isIP(host)
  return host === 'localhost' || (family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4'))
}
