import { BlockList, isIP } from 'node:net'
import { formatAddress, urlFault } from '../../config/config.ts'
import { isOwnPod, plainHost } from './plain-host.ts'

const never = new BlockList()
never.addSubnet('224.0.0.0', 4, 'ipv4')
never.addAddress('255.255.255.255', 'ipv4')
// Metadata, like those that targets may not lead to.
never.addAddress('192.0.0.192', 'ipv4')
never.addSubnet('ff00::', 8, 'ipv6')
// Where an IPv4 address stands in it, each network decides for itself.
never.addSubnet('64:ff9b:1::', 48, 'ipv6')

/** An IP address without a zone, in the one spelling that all others of it come to; undefined for anything else. */
export function readAddress(value: unknown): string | undefined {
  return typeof value === 'string' && isIP(value) !== 0 && !value.includes('%') ? plainHost(value) : undefined
}

/**
 * Whether an address of `readAddress` can be another pod's: neither that of whoever connects nor one of several machines, neither
 * link-local nor a cloud's metadata service, nor an IPv6 address that leads to one of these. 240.0.0.0/4 can: some clouds give it to
 * pods. EndpointSlices can be written by people who must not lead us there. A Service's address, a machine of the internet and a pod's can't be told apart: 10.96.0.1 and 8.8.8.8 pass.
 */
export function isPodAddress(address: string): boolean {
  if (isOwnPod(address) || never.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return false
  const inner = translatedOf(address)
  if (inner !== undefined && !isPodAddress(inner)) return false
  return urlFault(`http://${formatAddress({ host: address, port: 80 })}`) === undefined
}

/** The IPv4 address that an IPv6 address of these kinds stands for: compatible, translated (RFC 2765, RFC 6052) or 6to4. */
function translatedOf(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const [before = [], after = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  const isLast = ['0:0:0:0:0:0', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'].includes(groups.slice(0, 6).join(':'))
  if (!isLast && groups[0] !== '2002') return undefined
  const bytes = (isLast ? groups.slice(6) : groups.slice(1, 3)).map((group) => Number.parseInt(group, 16))
  return bytes.flatMap((pair) => [pair >> 8, pair & 255]).join('.')
}
