import { BlockList, isIP } from 'node:net'
import { isMetadataHost } from '../../mcp/mcp.ts'
import type { HttpTarget } from '../model/model.ts'
import type { ProblemCode } from '../problems/problems.ts'
import type { Origin } from '../schema/schema.ts'
import { formatAddress, isLoopback, parseAddress } from './address.ts'

const unspecified = new BlockList()
unspecified.addAddress('0.0.0.0', 'ipv4')
unspecified.addAddress('::', 'ipv6')

/** The URL of a target, in either of its forms; with `host`, `tls` makes it https. Throws a TypeError where it is no URL. */
export function targetUrl(target: HttpTarget): string {
  return new URL(target.url ?? textOf(target)).href
}

function textOf({ host = '', port, path, tls }: HttpTarget): string {
  return `${tls === undefined ? 'http' : 'https'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}${path}`
}

/** What is wrong with a target's URL or host; `text` completes a sentence that begins with the value. */
export interface TargetFault {
  readonly code: ProblemCode
  readonly text: string
  readonly hint?: string
}

const metadataFault: TargetFault = {
  code: 'unsafe-url',
  text: "leads to a link-local address or a cloud's metadata service",
  hint: 'name the server by another address',
}

/**
 * Why mcplex refuses to connect to the `host` and `port` of a target: for the reasons of `urlFault`, or because the URL parser would read
 * them as something else.
 */
export function hostFault(target: HttpTarget): TargetFault | undefined {
  const { host = '', port, tls } = target
  const text = textOf(target)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return { code: 'bad-value', text: 'is not a host', hint: 'write the name of a host or an IP address' }
  const fault = urlFault(text)
  if (fault !== undefined) return fault
  const isAsWritten = isIP(host) === 6 || url.hostname === host.toLowerCase()
  if (isAsWritten && Number(url.port || (tls === undefined ? 80 : 443)) === port) return undefined
  return { code: 'bad-value', text: `stands for ${url.host}`, hint: 'write an IP address dotted, such as 192.0.2.1' }
}

/** Why mcplex refuses to connect to a URL, such as that of a cloud's metadata service; undefined where it doesn't. */
export function urlFault(text: string): TargetFault | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return { code: 'bad-value', text: 'is not a URL', hint: 'write it whole, such as http://127.0.0.1:8001/mcp' }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { code: 'bad-value', text: `has the scheme ${url.protocol.slice(0, -1)}`, hint: 'write http:// or https://' }
  }
  if (url.username !== '' || url.password !== '') {
    return {
      code: 'bad-value',
      text: 'holds a user name or password',
      hint: 'send them with `credentials: { header: { Authorization: … } }`',
    }
  }
  if (/^[^?#]*\\/.test(text)) return { code: 'bad-value', text: 'holds a backslash, which not all read as a slash', hint: 'write /' }
  if (url.hash !== '') return { code: 'bad-value', text: 'has a fragment (#…), which is never sent', hint: 'leave it out' }
  return isMetadataHost(url.hostname) ? metadataFault : undefined
}

/** Why mcplex refuses to connect to an endpoint, written `ip:port`. In a cluster loopback addresses would be the proxy itself. */
export function endpointFault(text: string, origin: Origin): TargetFault | undefined {
  const address = parseAddress(text)
  if (address === undefined || formatAddress(address) !== text || address.port === 0 || !/^[0-9a-f.:]+$/i.test(address.host))
    return { code: 'bad-value', text: 'is not an IP address with a port', hint: 'write ip:port or [ipv6]:port, such as 10.0.0.7:8080' }
  if (isMetadataHost(address.host)) return metadataFault
  const isOwn = isLoopback(address.host) || unspecified.check(address.host, isIP(address.host) === 6 ? 'ipv6' : 'ipv4')
  return origin === 'kubernetes' && isOwn
    ? { code: 'unsafe-url', text: 'means the proxy’s own pod', hint: 'write the address of the server’s pod' }
    : undefined
}
