/** The words for a failure. `says` may be shown to callers too and names no address; `remedy` is for operators alone. */
export interface Words {
  readonly says: string
  readonly remedy: string | undefined
}

/** @param at the host and port that was connected to, as HOST:PORT */
type Row = readonly [codes: readonly string[], says: string, remedy: (at: string) => string]

const network: readonly Row[] = [
  [['ECONNREFUSED'], 'connection refused', (at) => `nothing listens at ${at}: start the server, or correct the host and port in its url`],
  [['ENOTFOUND'], 'its host name is unknown', (at) => `DNS has no address for ${at}: correct the host in its url`],
  [['EAI_AGAIN'], 'DNS did not answer', (at) => `${at} could not be looked up: is a name server reachable from this machine?`],
  [
    ['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT'],
    'no connection within the time-out',
    (at) => `nothing answers at ${at}: correct its url, let the connection through the firewall, or raise timeouts.connect`,
  ],
  [
    ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
    'no route to its address',
    (at) => `this machine has no way to ${at}: correct its url, or the network`,
  ],
  [
    ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'],
    'connection closed by the other side',
    (at) =>
      `look at the log of what listens at ${at}: it may want TLS (a url that begins with https://) or a client certificate (http: { url: …, tls: { cert: …, key: … } })`,
  ],
  [
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST', 'EPROTO'],
    'it does not speak TLS',
    (at) => `${at} answers in plain text: write http:// in its url, or the port that speaks TLS`,
  ],
  [
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
    'it speaks no version of TLS that is accepted here',
    (at) => `${at} must offer TLS 1.2 or newer`,
  ],
  [
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    ],
    'it wants a client certificate',
    (at) => `write one that ${at} trusts: http: { url: …, tls: { cert: …, key: … } }`,
  ],
  [
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME'],
    'it has no certificate for its host name',
    () => 'correct the host in its url, or write the name that it knows: http: { url: …, tls: { serverName: … } }',
  ],
  [
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_GET_ISSUER_CERT',
    ],
    'its certificate is not signed by an authority that is trusted here',
    () => "write its authority's certificate, or its own if it is self-signed: http: { url: …, tls: { ca: … } }",
  ],
  [['CERT_HAS_EXPIRED'], 'its certificate has expired', (at) => `renew the certificate of ${at}, or correct the clock of this machine`],
  [['CERT_NOT_YET_VALID'], 'its certificate is not valid yet', (at) => `correct the clock of this machine, or the certificate of ${at}`],
  [
    ['ERR_TLS_CERT_ALTNAME_INVALID'],
    'its certificate is for another host name',
    (at) => `the certificate does not name ${at}: correct the host in its url, or write http: { url: …, tls: { serverName: … } }`,
  ],
]

const byCode: ReadonlyMap<string, Row> = new Map(network.flatMap((row) => row[0].map((code) => [code, row] as const)))

/**
 * The words for an error code of the network, of TLS or of HTTP; an unknown code is shown as it is.
 * @param at HOST:PORT
 */
export function wordsOfCode(code: string, at: string): Words {
  if (code === '') return { says: '', remedy: undefined }
  const row = byCode.get(code)
  return row === undefined ? { says: code, remedy: undefined } : { says: `${row[1]} (${code})`, remedy: row[2](at) }
}

const keyToWrite = 'credentials: { header: { Authorization: "Bearer ${TOKEN}" } }'

/**
 * The words for an HTTP reply without JSON-RPC, to follow "answered … with".
 * @param type its content type
 */
export function wordsOfStatus(status: number, type: string): Words {
  if (status === 401) return { says: '401: it wants credentials', remedy: `write them beside its url, or correct them: ${keyToWrite}` }
  if (status === 403) return { says: '403: it denies access', remedy: `write credentials that have access beside its url: ${keyToWrite}` }
  if (status >= 300 && status < 400)
    return { says: `a redirect (${status})`, remedy: 'redirects are not followed: write the url to which it redirects' }
  if (status === 404 || status === 405)
    return { says: `${status}`, remedy: 'correct the path of its url: most servers are at /mcp, some need the slash at the end' }
  if (status === 400)
    return { says: '400 and no JSON-RPC', remedy: 'correct the path of its url; if the server speaks TLS, it must begin with https://' }
  if (status === 429) return { says: '429: it limits requests', remedy: 'wait, or raise its limit' }
  if (status >= 500) return { says: `status ${status} and no JSON-RPC`, remedy: 'look at its log, or that of the proxy before it' }
  if (/^text\/html\b/.test(type))
    return {
      says: `a web page (${status}) and no JSON-RPC`,
      remedy: 'its url leads to a website or a login page: correct its path, most servers are at /mcp',
    }
  return { says: `status ${status} and no JSON-RPC`, remedy: 'is this an MCP server with Streamable HTTP? correct its url' }
}

/**
 * The words for a server that answers with something else than HTTP.
 * @param at HOST:PORT
 */
export function noHttp(at: string): Words {
  return {
    says: 'answered with what is not HTTP',
    remedy: `correct the port of its url: ${at} speaks another protocol; if that is TLS, the url must begin with https://`,
  }
}

/** The words for a server of 2024-11-05 whose only transport is HTTP+SSE. */
export const olderTransport: Words = {
  says: 'speaks the older HTTP+SSE transport, which is not supported yet',
  remedy: 'write the url of its Streamable HTTP endpoint if it has one, often /mcp in place of /sse, or put a bridge before it',
}
