import { connect } from 'node:net'

/** An HTTP reply as it came over the socket. */
export interface WireReply {
  /** 0 where the connection ended without a reply. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Writes bytes to a port of 127.0.0.1 and reads one HTTP/1.1 reply. Nothing is added to the bytes, so that a test can send
 * what no HTTP library would. Broken connections aren't errors: what came before counts.
 */
export function wire(port: number, ...chunks: readonly (string | Uint8Array)[]): Promise<WireReply> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    const finish = () => {
      socket.destroy()
      resolve(parse(received))
    }
    socket.setTimeout(15_000, finish)
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      received += text
      if (isWhole(received)) finish()
    })
    socket.once('close', finish)
    socket.on('error', () => undefined)
    for (const chunk of chunks) socket.write(chunk)
  })
}

/** A POST to /mcp with the headers of a well-behaved client, then those given; a header given as undefined is left out. */
export function post(port: number, body: string | Uint8Array, more: Readonly<Record<string, string | undefined>> = {}, path = '/mcp') {
  const headers = {
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...more,
  }
  return wire(port, head('POST', path, headers), body)
}

/** The head of a request, with the empty line. */
export function head(method: string, path: string, headers: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const { headers, body } = parse(text)
  const length = headers['content-length']
  if (length !== undefined) return Buffer.byteLength(body) >= Number(length)
  return headers['transfer-encoding'] === 'chunked' && text.endsWith('\r\n0\r\n\r\n')
}

function parse(text: string): WireReply {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n')
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const headers = Object.fromEntries(pairs)
  const body = end < 0 ? '' : text.slice(end + 4)
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: headers['transfer-encoding'] === 'chunked' ? joinChunks(body) : body }
}

/** The text of a chunked body, as far as it came. Its lengths count bytes, so anything but ASCII would come out wrong. */
function joinChunks(body: string): string {
  const end = body.indexOf('\r\n')
  const length = Number.parseInt(body.slice(0, Math.max(end, 0)), 16)
  if (!(length > 0)) return ''
  return body.slice(end + 2, end + 2 + length) + joinChunks(body.slice(end + 4 + length))
}
