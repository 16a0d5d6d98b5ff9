import { BlockList, isIP } from 'node:net'
import { formatAddress, urlFault } from '../../config/config.ts'
import { isOwnPod, plainHost } from './plain-host.ts'

const never = new BlockList()
never.addSubnet('224.0.0.0', 4, 'ipv4')
never.addAddress('255.255.255.255', 'ipv4')
// A cloud's metadata service, like those that no server's address may be.
never.addAddress('192.0.0.192', 'ipv4')
never.addSubnet('ff00::', 8, 'ipv6')
// Local-use translation prefixes (RFC 8215): where the IPv4 address stands in these is up to each network.
never.addSubnet('64:ff9b:1::', 48, 'ipv6')

/** An IP address without a zone in its normal spelling; undefined for anything else. */
export function readAddress(value: unknown): string | undefined {
  return typeof value === 'string' && isIP(value) !== 0 && !value.includes('%') ? plainHost(value) : undefined
}

/**
 * Whether an address of `readAddress` can be that of another pod. Loopback, unspecified, multicast, broadcast and link-local addresses
 * can't, nor those of clouds' metadata services, nor IPv6 addresses that are translated to one of these: whoever may write EndpointSlices
 * must not lead requests there. Addresses of 240.0.0.0/4 can, as some clouds give them to pods. Addresses of Services and of hosts outside
 * can't be told from those of pods, so 10.96.0.1 and 8.8.8.8 count as possible.
 */
export function isPodAddress(address: string): boolean {
  if (isOwnPod(address) || never.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return false
  const inner = translatedOf(address)
  if (inner !== undefined && !isPodAddress(inner)) return false
  return urlFault(`http://${formatAddress({ host: address, port: 80 })}`) === undefined
}

/** The IPv4 address in an IPv6 address that is IPv4-compatible, translated (RFC 2765, RFC 6052) or of 6to4; undefined for others. */
function translatedOf(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  const isLast = ['0:0:0:0:0:0', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'].includes(groups.slice(0, 6).join(':'))
  if (!isLast && groups[0] !== '2002') return undefined
  const bytes = (isLast ? groups.slice(6) : groups.slice(1, 3)).map((group) => Number.parseInt(group, 16))
  return bytes.flatMap((pair) => [pair >> 8, pair & 255]).join('.')
}
