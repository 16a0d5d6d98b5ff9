import { BlockList, isIP } from 'node:net'
import { formatAddress, urlFault } from '../config/config.ts'
import { isOwnPod, plainHost } from './plain-host.ts'

const shared = new BlockList()
shared.addSubnet('224.0.0.0', 4, 'ipv4')
shared.addAddress('255.255.255.255', 'ipv4')
shared.addSubnet('ff00::', 8, 'ipv6')

/** An IP address without a zone, in the one spelling that all others of it come to; undefined for anything else. */
export function readAddress(value: unknown): string | undefined {
  return typeof value === 'string' && isIP(value) !== 0 && !value.includes('%') ? plainHost(value) : undefined
}

/**
 * Whether an address of `readAddress` can be another pod's: neither that of whoever connects nor one of several machines, neither
 * link-local nor a cloud's metadata service. EndpointSlices can be written by people who must not lead us there.
 */
export function isPodAddress(address: string): boolean {
  if (isOwnPod(address) || shared.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return false
  return urlFault(`http://${formatAddress({ host: address, port: 80 })}`) === undefined
}
