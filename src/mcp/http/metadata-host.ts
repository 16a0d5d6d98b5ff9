import { BlockList, isIP } from 'node:net'

const names = new Set(['metadata.google.internal', 'metadata.goog', 'metadata', 'instance-data', 'instance-data.ec2.internal'])

const addresses = new BlockList()
addresses.addSubnet('169.254.0.0', 16, 'ipv4')
addresses.addAddress('100.100.100.200', 'ipv4')
addresses.addAddress('168.63.129.16', 'ipv4')
addresses.addSubnet('fe80::', 10, 'ipv6')
addresses.addSubnet('::a9fe:0', 112, 'ipv6')
addresses.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
addresses.addAddress('fd00:ec2::254', 'ipv6')
addresses.addAddress('fd20:ce::254', 'ipv6')

/**
 * Whether a host is link-local or a cloud's metadata service: these give secrets to whoever can make mcplex send them a request.
 * @param hostname as the URL parser leaves it, which turns decimal, hexadecimal and octal spellings into dotted ones
 */
export function isMetadataHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '')
  const family = isIP(host)
  return family === 0 ? names.has(host) : addresses.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
