import {
  type Answer,
  type CacheHint,
  elements,
  type Head,
  isMethod,
  type Message,
  member,
  members,
  methods,
  type Refusal,
  type RpcError,
  refusalReply,
  refuse,
  stringOf,
} from '../../mcp/mcp.ts'
import { accepted, type ClientEra, type Encoded, errorReply, isUpstreamFailure, jsonHeaders, toolFailure } from '../client-era.ts'
import { type Implementation, metaKeys, modernVersion } from '../versions.ts'
import { decodeHeaderValue } from './header-value.ts'

/** Clients of the stateless revision, 2026-07-28. `serverInfo` goes into the `_meta` of results that have none. */
export function createModernClient(serverInfo: Implementation): ClientEra {
  const infoMember = `"_meta":{"${metaKeys.serverInfo}":${JSON.stringify(serverInfo)}}`
  const encodeResult = (id: string, resultType: string, text: string, hasMeta: boolean, cache?: CacheHint): Encoded => {
    const hints = cache === undefined ? '' : `,"ttlMs":${cache.ttlMs},"cacheScope":"${cache.scope}"`
    const meta = hasMeta ? '' : `,${infoMember}`
    const rest = isEmptyObject(text) ? '}' : `,${text.slice(1)}`
    return {
      status: 200,
      headers: jsonHeaders,
      body: `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"${resultType}"${hints}${meta}${rest}}`,
    }
  }
  return {
    name: 'modern',
    decode(head, message, shape, endpoint) {
      if (shape.kind === 'notification') return accepted(shape.method)
      if (shape.kind === 'response') return refuse('bad-request', 'clients of this revision send no responses')
      const { id, method } = shape
      const claim = member(message.meta ?? [], metaKeys.version)
      const version = claim === undefined ? undefined : stringOf(message.text, claim)
      if (version !== modernVersion)
        return refuse('version', `protocol version ${version} is not supported`, {
          data: { supported: [modernVersion], requested: version },
        })
      const headers = checkHeaders(head, message, method)
      if (headers !== undefined) return headers
      if (!isMethod(method)) return refuse('method-unknown', `Method not found: ${method}`)
      if (method === 'server/discover') {
        const result = {
          supportedVersions: [modernVersion],
          capabilities: { tools: { listChanged: true } },
          ...(endpoint.instructions === undefined ? {} : { instructions: endpoint.instructions }),
        }
        const reply = encodeResult(id, 'complete', JSON.stringify(result), false, { ttlMs: 0, scope: 'private' })
        return { kind: 'reply', method, reply }
      }
      const { subject } = methods[method]
      if (subject === undefined) return { kind: 'request', id, method, subject, session: undefined }
      const named = member(message.params ?? [], subject)
      const name = named === undefined ? undefined : stringOf(message.text, named)
      if (name === undefined) return refuse('invalid-params', `${method} needs a string params.${subject}`)
      return { kind: 'request', id, method, subject: name, session: undefined }
    },
    encode(answer: Answer, id, method, requestId): Encoded {
      switch (answer.kind) {
        case 'complete':
          return encodeResult(id, 'complete', answer.result, answer.hasMeta, answer.cache)
        case 'input-required':
          return encodeResult(id, 'input_required', answer.result, true)
        case 'failed':
          return errorReply(id, modernError(answer.error), answer.error.code === -32021 ? 400 : 200)
        case 'refused':
          if (method === 'tools/call' && isUpstreamFailure(answer))
            return encodeResult(id, 'complete', toolFailure(answer, requestId), true)
          return refusalReply(answer, id, requestId, 'modern')
      }
    },
  }
}

/** What a `subscriptions/listen` request asks for; types that are not served are left out. */
export interface ListenFilter {
  readonly toolsListChanged: boolean
}

/** Reads `params.notifications` (2026-07-28, subscriptions, Notification Filter). */
export function listenFilter(message: Message): ListenFilter | Refusal {
  const filter = member(message.params ?? [], 'notifications')
  if (filter?.type !== 'object') return refuse('invalid-params', 'subscriptions/listen needs an object params.notifications')
  const list = members(message.text, filter.start, filter.end)
  for (const key of ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged']) {
    const flag = member(list, key)
    if (flag !== undefined && flag.type !== 'true' && flag.type !== 'false')
      return refuse('invalid-params', `notifications.${key} must be a boolean`)
  }
  const uris = member(list, 'resourceSubscriptions')
  if (uris !== undefined && (uris.type !== 'array' || elements(message.text, uris.start, uris.end).some((uri) => uri.type !== 'string')))
    return refuse('invalid-params', 'notifications.resourceSubscriptions must be an array of strings')
  return { toolsListChanged: member(list, 'toolsListChanged')?.type === 'true' }
}

/** The messages of a listen stream; each carries the listen request's id, as its JSON text. */
export const listenMessages = {
  acknowledged: (id: string, filter: ListenFilter) =>
    `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"${metaKeys.subscription}":${id}},"notifications":${filter.toolsListChanged ? '{"toolsListChanged":true}' : '{}'}}}`,
  toolsChanged: (id: string) =>
    `{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"${metaKeys.subscription}":${id}}}}`,
  end: (id: string) => `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","_meta":{"${metaKeys.subscription}":${id}}}}`,
} as const

function checkHeaders(head: Head, message: Message, method: string): Refusal | undefined {
  if (head.header('mcp-protocol-version') === undefined) return refuse('header-mismatch', 'the MCP-Protocol-Version header is missing')
  if (head.header('mcp-method') === undefined) return refuse('header-mismatch', 'the Mcp-Method header is missing')
  const source = namedBy[method]
  if (source === undefined) return undefined
  const named = member(message.params ?? [], source)
  const value = named === undefined ? undefined : stringOf(message.text, named)
  const header = head.header('mcp-name')
  if (header === undefined)
    return value === undefined
      ? undefined
      : refuse('header-mismatch', `the Mcp-Name header is missing: params.${source} is ${JSON.stringify(value)}`)
  const decoded = decodeHeaderValue(header)
  if (decoded === undefined) return refuse('header-mismatch', 'the Mcp-Name header holds broken Base64')
  if (value !== undefined && decoded !== value)
    return refuse('header-mismatch', `Mcp-Name is ${JSON.stringify(decoded)}, but params.${source} is ${JSON.stringify(value)}`)
  return undefined
}

/** Methods whose `Mcp-Name` header repeats a member of params (2026-07-28, streamable HTTP, Standard Request Headers). */
const namedBy: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
})

function isEmptyObject(text: string): boolean {
  let at = 1
  while (text.charCodeAt(at) <= 0x20) at++
  return text.charCodeAt(at) === 0x7d
}

/** Codes of earlier revisions that this one must not send (2026-07-28, basic, Error Codes). */
function modernError(error: RpcError): RpcError {
  if (error.code === -32002) return { ...error, code: -32602 }
  return error.code === -32042 ? { ...error, code: -32603 } : error
}
