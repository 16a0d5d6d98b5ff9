import { isIP } from 'node:net'
import { type Fault, type Origin, text } from '../schema/schema.ts'
import { durationPattern, endpointFault, headerLimitPattern, isBindable, parseAddress, sizePattern, urlFault } from '../values/values.ts'

/** Schemas of the kinds of text that keys take. */

export const words = text('text')
export const duration = text('duration', {
  pattern: durationPattern,
  hint: 'write a number with h, m, s or ms, such as 500ms, 5s or 1h30m',
  examples: ['500ms', '5s', '1h30m'],
})
export const size = text('size', {
  pattern: sizePattern,
  hint: 'write a whole number with KiB or MiB, such as 16KiB',
  examples: ['16KiB', '4MiB'],
})
export const headerBounds = text('size/count', {
  pattern: headerLimitPattern,
  hint: 'write bytes and number of headers, such as 16KiB/100',
  examples: ['16KiB/100'],
})

const namePattern = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const kubernetesName = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/
const qualifiedName = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/

/** A name: of a server, a listener or, in a file, anything. */
export const name = text('name', {
  editorPattern: namePattern,
  fault: (value, origin) => nameFault(value, origin === 'file' ? namePattern : kubernetesName),
})
/** A name that the Kubernetes controller writes as `namespace/name`: of a route, backend or agent. */
export const qualified = text('name', {
  editorPattern: namePattern,
  fault: (value: string, origin: Origin) =>
    origin === 'kubernetes' && qualifiedName.test(value) ? undefined : nameFault(value, origin === 'file' ? namePattern : kubernetesName),
})

function nameFault(value: string, pattern: RegExp): Fault | undefined {
  if (pattern.test(value)) return undefined
  const folded = foldName(value)
  const hint = `use lower-case letters, digits and inner hyphens, at most 63${folded === undefined ? '' : `: ${folded}`}`
  return { code: 'bad-name', text: 'is not a name', hint }
}

/** The allowed name that is most like a written one, such as `my-server` for `My_Server`; undefined where nothing of it is left. */
export function foldName(written: string): string | undefined {
  const folded = written
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '')
  return folded === '' ? undefined : folded
}

const octet = '(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})'
/** What can be bound, as far as a pattern can tell: an IPv6 address is only known by its characters. */
const bindable = { ipv4: `localhost|(?:${octet}\\.){3}${octet}`, ipv6: '[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*(?:%[^\\]]+)?' }
const portNumber = '(?:[0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])'
const socket = `(?:(?:${bindable.ipv4}|\\[${bindable.ipv6}\\]):)?${portNumber}`

export const ipAddress = text('address', {
  editorPattern: new RegExp(`^(?:${bindable.ipv4}|${bindable.ipv6})$`),
  examples: ['127.0.0.1', '0.0.0.0', '::1'],
  fault: (value) =>
    isBindable(value) ? undefined : { text: 'is not an IP address', hint: 'write 127.0.0.1, ::1 or 0.0.0.0, without brackets or port' },
})
export const listenAddress = text('HOST:PORT', {
  editorPattern: new RegExp(`^${socket}$`),
  examples: ['127.0.0.1:8080', '0.0.0.0:8080', '[::1]:8080'],
  fault: (value) =>
    parseAddress(value)
      ? undefined
      : { text: 'is not an address to listen on', hint: 'write PORT, HOST:PORT or [IPv6]:PORT with an IP address' },
})
export const listenOrOff = text('HOST:PORT', {
  editorPattern: new RegExp(`^(?:off|${socket})$`),
  examples: ['127.0.0.1:15021', 'off'],
  fault: (value) =>
    value === 'off' || parseAddress(value) ? undefined : { text: 'is not an address to listen on', hint: 'write HOST:PORT, or off' },
})

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
export const hostname = text('hostname', {
  pattern: new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`),
  hint: 'write it in lower case without port, such as mcp.example.com or *.example.com',
  examples: ['mcp.example.com', '*.example.com'],
})
export const hostHeader = text('host', {
  pattern: /^(?:\*|\*\.[a-z0-9][-a-z0-9._]*|(?:\[[0-9a-f:.]+\]|[a-z0-9][-a-z0-9._]*)(?::[0-9]{1,5})?)$/,
  examples: ['mcp.example.com', '10.0.0.7:8080', '*.example.com'],
  hint: 'write what a client sends as Host, in lower case, such as mcp.example.com, 10.0.0.7:8080, *.example.com or * for any',
})
export const origin = text('origin', {
  pattern: /^[a-z][-+.a-z0-9]*:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9][-a-z0-9._]*)(?::(?:[0-9]{1,5}|\*))?$/,
  examples: ['https://app.example.com', 'http://localhost:*'],
  hint: 'write scheme and host in lower case without a path, such as https://app.example.com, or http://localhost:* for any port',
})
/** A DNS name; it may end with a dot. */
const dnsName = /^[-_a-z0-9]+(?:\.[-_a-z0-9]+)*\.?$/i
const hostHint = 'write a host name or IP address alone, without scheme, port or brackets'
/** A DNS name or an IP address and nothing else, so that all parsers read the same host. */
export const host = text('host', {
  editorPattern: /^(?:[-_a-zA-Z0-9]+(?:\.[-_a-zA-Z0-9]+)*\.?|[0-9a-fA-F.]*:[0-9a-fA-F:.]*)$/,
  fault: (value) =>
    dnsName.test(value) || (isIP(value) !== 0 && !value.includes('%'))
      ? undefined
      : { text: 'is not a host', hint: /^[ -~]*$/.test(value) ? hostHint : 'write it in ASCII, an international name as xn--…' },
})
export const path = text('path', { pattern: /^\/[^\s?#]*$/, hint: 'write a path that begins with /, without a query', examples: ['/mcp'] })
export const url = text('URL', {
  // Whatever URL readers take for one: only its scheme, a host or more behind it, and no fragment.
  editorPattern: /^\s*[hH][tT][tT][pP][sS]?:[^#]*[^#\s/\\][^#]*#?\s*$/,
  examples: ['http://127.0.0.1:8001/mcp', 'https://mcp.example.com/mcp'],
  fault: urlFault,
})
export const endpoint = text('ip:port', {
  examples: ['10.0.0.7:8080', '[2001:db8::7]:8080'],
  editorPattern: /^(?:[0-9.]+|\[[0-9a-fA-F.:]+\]):[0-9]{1,5}$/,
  fault: endpointFault,
})

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
export const headerName = text('header', { pattern: token, hint: 'write the name of an HTTP header' })

const ownHeaders =
  /^(?:host|connection|content-length|content-type|content-encoding|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept|mcp-.*)$/i
/** A header that may be added to requests to servers, which excludes those that HTTP or MCP itself uses. */
export const addedHeader = text('header', {
  fault: (value) => {
    if (!token.test(value)) return { text: 'is not the name of an HTTP header', hint: 'write it without spaces or colon' }
    return ownHeaders.test(value) ? { text: 'is a header that mcplex sets itself', hint: 'leave it out' } : undefined
  },
})
export const headerValueFault = (value: string): Fault | undefined =>
  /^[\t\x20-\x7e\x80-\xff]*$/.test(value) && value.trim() === value
    ? undefined
    : { text: 'is not the value of an HTTP header', hint: 'it must be one line of Latin characters without blanks around it' }

/** A pattern over `<server>_<name>`. */
export const toolPattern = text('pattern', {
  pattern: /^!?(?:[a-z0-9][-.a-z0-9]*_|[-.a-z0-9]*\*)[^\s\p{Cc}]*$/u,
  hint: 'write <server>_<name>, such as math_add, "date_*" or "!math_drop_*"; the server is in lower case',
  examples: ['math_add', 'date_*', '!math_drop_*', '*'],
})
/** A pattern over `<server>+<uri>`. */
export const resourcePattern = text('pattern', {
  pattern: /^!?(?:[a-z0-9][-.a-z0-9]*\+|[-.a-z0-9]*\*)[^\s\p{Cc}]*$/u,
  hint: 'write <server>+<uri>, such as "docs+*", docs+file:///notes/* or "!docs+file:///private/*"; of MCP Apps docs+ui://*',
})
