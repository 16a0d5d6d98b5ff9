import { isIPv6 } from 'node:net'

/**
 * A host in its normal spelling: as the URL parser writes it, without brackets and a final dot, and an IPv4-mapped IPv6 address as IPv4.
 */
export function plainHost(host: string): string {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}`
  const name = (URL.canParse(url) ? new URL(url).hostname : host.toLowerCase()).replace(/^\[|\]$|\.$/g, '')
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(name) ?? []
  if (high === undefined || low === undefined) return name
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.')
}

/** Whether a host is a loopback or unspecified address or name, which in a proxy leads to its own pod. */
export function isOwnPod(host: string): boolean {
  const name = plainHost(host)
  return /^(?:(?:127|0)(?:\.[0-9]+){3}|::1?|(?:.*\.)?localhost|ip6-(?:localhost|loopback))$/.test(name)
}
