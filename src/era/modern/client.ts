import {
  type Answer,
  type CacheHint,
  type Capabilities,
  capability,
  type Head,
  insertMember,
  isLogLevel,
  isMethod,
  type LogLevel,
  logLevels,
  type Member,
  type Message,
  type Method,
  type MethodRow,
  member,
  members,
  methods,
  noCapabilities,
  type Refusal,
  type Resume,
  type RpcError,
  readCapabilities,
  rebuildObject,
  refusalReply,
  refuse,
  type Subject,
  splice,
  stringOf,
  subjectOf,
  textOf,
} from '../../mcp/mcp.ts'
import {
  accepted,
  type ClientEra,
  type ClientRequest,
  type Encoded,
  type Endpoint,
  errorReply,
  isToldInResult,
  jsonHeaders,
  namingServer,
  offeredCapabilities,
  toolFailure,
} from '../client-era.ts'
import { type Implementation, metaKeys, modernVersion } from '../versions.ts'
import { decodeHeaderValue } from './header-value.ts'

/** The client era of the stateless revision, 2026-07-28. `serverInfo` goes into the `_meta` of results that name no server. */
export function createModernClient(serverInfo: Implementation): ClientEra {
  const info = `"${metaKeys.serverInfo}":${JSON.stringify(serverInfo)}`
  const infoMember = `"_meta":{${info}}`
  /** Members of a `_meta` that the result already has are kept. */
  const withInfo = (text: string): string => {
    const meta = member(members(text, 0, text.length), '_meta')
    if (meta?.type !== 'object') return text
    const own = members(text, meta.start, meta.end)
    return member(own, metaKeys.serverInfo) === undefined ? splice(text, [insertMember(text, meta.start, own.length === 0, info)]) : text
  }
  const encodeResult = (id: string, resultType: string, extra: string, sent: string, hasMeta: boolean): Encoded => {
    const meta = hasMeta ? '' : `,${infoMember}`
    const text = hasMeta ? withInfo(sent) : sent
    const rest = isEmptyObject(text) ? '}' : `,${text.slice(1)}`
    return {
      status: 200,
      headers: jsonHeaders,
      body: `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"${resultType}"${extra}${meta}${rest}}`,
    }
  }
  return {
    name: 'modern',
    decode(head, message, shape) {
      if (shape.kind === 'notification') return accepted(shape.method)
      if (shape.kind === 'response') return refuse('bad-request', 'clients of this revision send no responses')
      const { id, method } = shape
      const { text, meta = [] } = message
      const claim = member(meta, metaKeys.version)
      const version = claim === undefined ? undefined : stringOf(text, claim)
      if (version !== modernVersion)
        return refuse('version', `protocol version ${version} is not supported`, {
          data: { supported: [modernVersion], requested: version },
        })
      const subject = isMethod(method) ? subjectOf(message, method) : undefined
      const headers = checkHeaders(head, method, subject)
      if (headers !== undefined) return headers
      if (!isMethod(method)) return refuse('method-unknown', `Method not found: ${method}`)
      if (subject?.kind === 'refused') return subject
      const logLevel = levelOf(text, member(meta, metaKeys.logLevel))
      if (typeof logLevel === 'object') return logLevel
      const resume = namedMember(method) === undefined ? undefined : resumeOf(message)
      if (resume !== undefined && 'kind' in resume) return resume
      const capabilities = capabilitiesOf(text, member(meta, metaKeys.capabilities))
      return { kind: 'request', id, method, subject, session: undefined, capabilities, logLevel, resume, dialect: 'modern', version }
    },
    encode(answer, request, requestId): Encoded {
      const { id, method } = request
      switch (answer.kind) {
        case 'complete': {
          if (answer.cache !== undefined) return encodeResult(id, 'complete', hintMembers(answer.cache), answer.result, answer.hasMeta)
          if (method !== 'resources/read') return encodeResult(id, 'complete', '', answer.result, answer.hasMeta)
          const { text, hint } = hintedRead(answer.result)
          return encodeResult(id, 'complete', hintMembers(hint), text, answer.hasMeta)
        }
        case 'input-required': {
          const state = answer.state === undefined ? '' : `,"requestState":${JSON.stringify(answer.state)}`
          const hasMeta = member(members(answer.result, 0, answer.result.length), '_meta') !== undefined
          return encodeResult(id, 'input_required', state, answer.result, hasMeta)
        }
        case 'failed':
          return errorReply(id, modernError(answer.error, request), statusOf(answer.error.code))
        case 'refused':
          if (method === 'tools/call' && isToldInResult(answer))
            return encodeResult(id, 'complete', '', toolFailure(answer, requestId), true)
          return refusalReply(namingServer(answer, method), id, requestId, 'modern')
      }
    },
  }
}

/** The answer to `server/discover` (2026-07-28, discover). It must not be cached, since what the servers offer changes. */
export function discoverResult(endpoint: Endpoint): Answer {
  const { instructions } = endpoint
  const told = instructions === undefined ? '' : `,"instructions":${JSON.stringify(instructions)}`
  const result = `{"supportedVersions":["${modernVersion}"],"capabilities":${offeredCapabilities(endpoint.offers())}${told}}`
  return { kind: 'complete', result, isError: false, hasMeta: false, cache: keepNot }
}

const keepNot: CacheHint = { ttlMs: 0, scope: 'private' }

function hintMembers({ ttlMs, scope }: CacheHint): string {
  return `,"ttlMs":${ttlMs},"cacheScope":"${scope}"`
}

/**
 * The hints for caching that the result of a read must have (2026-07-28, caching, Cacheable Results): the server's where they are valid.
 * `text` is the result without them.
 */
function hintedRead(text: string): { readonly text: string; readonly hint: CacheHint } {
  if (!text.includes('"ttlMs"') && !text.includes('"cacheScope"')) return { text, hint: keepNot }
  const list = members(text, 0, text.length)
  const [ttl, scope] = [member(list, 'ttlMs'), member(list, 'cacheScope')]
  const ttlMs = ttl?.type === 'number' ? Number(textOf(text, ttl)) : 0
  const isPublic = scope !== undefined && stringOf(text, scope) === 'public'
  return {
    text: rebuildObject(text, list, (m) => m !== ttl && m !== scope),
    hint: { ttlMs: Number.isSafeInteger(ttlMs) && ttlMs > 0 ? ttlMs : 0, scope: isPublic ? 'public' : 'private' },
  }
}

/** Checks the standard headers, which repeat parts of the body (2026-07-28, streamable HTTP, Standard Request Headers). */
function checkHeaders(head: Head, method: string, subject: Subject | Refusal | undefined): Refusal | undefined {
  if (head.header('mcp-protocol-version') === undefined) return refuse('header-mismatch', 'the MCP-Protocol-Version header is missing')
  if (head.header('mcp-method') === undefined) return refuse('header-mismatch', 'the Mcp-Method header is missing')
  const source = isMethod(method) ? namedMember(method) : undefined
  if (source === undefined) return undefined
  const value = subject === undefined || subject.kind === 'refused' ? undefined : subject.name
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

/** The member that names the subject of the three methods with an `Mcp-Name` header. The same methods may take several rounds. */
function namedMember(method: Method): 'name' | 'uri' | undefined {
  const { subject }: MethodRow = methods[method]
  return subject === 'ref' ? undefined : subject
}

/** What a next round sends (2026-07-28, multi round-trip requests); undefined for a first request. */
function resumeOf({ text, params = [] }: Message): Resume | Refusal | undefined {
  const [responses, state] = [member(params, 'inputResponses'), member(params, 'requestState')]
  if (responses === undefined && state === undefined) return undefined
  if (responses !== undefined && responses.type !== 'object') return refuse('invalid-params', 'params.inputResponses must be an object')
  if (state !== undefined && state.type !== 'string') return refuse('invalid-params', 'params.requestState must be a string')
  return { responses: responses && textOf(text, responses), state: state && stringOf(text, state) }
}

function levelOf(text: string, wanted: Member | undefined): LogLevel | Refusal | undefined {
  if (wanted === undefined) return undefined
  const level = stringOf(text, wanted)
  return isLogLevel(level) ? level : refuse('invalid-params', `_meta ${metaKeys.logLevel} must be one of ${logLevels.join(', ')}`)
}

function capabilitiesOf(text: string, declared: Member | undefined): Capabilities {
  // Most calls carry `{}`, and parsing it would cost more than the rest of decoding.
  if (declared?.type !== 'object' || declared.end - declared.start === 2) return noCapabilities
  return readCapabilities(text, declared) & ~capability.rootsChange
}

function isEmptyObject(text: string): boolean {
  let at = 1
  while (text.charCodeAt(at) <= 0x20) at++
  return text.charCodeAt(at) === 0x7d
}

/** The HTTP status of an error (2026-07-28, streamable HTTP, Protocol Version Header; schema, MissingRequiredClientCapabilityError). */
function statusOf(code: number): number {
  return code === -32601 ? 404 : code === -32021 ? 400 : 200
}

/** Error codes of earlier revisions that must not be sent in this one (2026-07-28, basic, Error Codes; resources, Error Handling). */
function modernError(error: RpcError, { subject }: ClientRequest): RpcError {
  if (error.code === -32042) return { ...error, code: -32603 }
  if (error.code !== -32002) return error
  return { ...error, code: -32602, data: subject?.kind === 'resources' ? withUri(error.data, subject.name) : error.data }
}

function withUri(data: string | undefined, uri: string): string {
  const own = `"uri":${JSON.stringify(uri)}`
  if (data === undefined || data.charCodeAt(0) !== 0x7b) return `{${own}}`
  const list = members(data, 0, data.length)
  return member(list, 'uri') === undefined ? rebuildObject(data, list, () => true, [own]) : data
}
