import { STATUS_CODES } from 'node:http'
import { type Refusal, refuse } from '../mcp/mcp.ts'
import type { EdgeLimits } from './limits.ts'
import { bodyTooLarge } from './read-head.ts'

/** Most pipelined requests that may be open on one connection; one more gets 503. */
export const pipelineDepth = 16

export function draining(): Refusal {
  return refuse('draining', 'This replica is shutting down: try again', { headers: { 'retry-after': '1' } })
}

export function misdirected(): Refusal {
  return refuse('misdirected', 'This connection was made for another host: open one for this host')
}

export function overloaded(): Refusal {
  return refuse('overloaded', 'Too many replies wait for clients that are slow to take them', { headers: { 'retry-after': '1' } })
}

export function tooManyPipelined(): Refusal {
  return refuse('overloaded', `More than ${pipelineDepth} requests at once on one connection`, { headers: { 'retry-after': '1' } })
}

/** Node's error for bytes that it can't read as HTTP. */
export interface ParseError extends NodeJS.ErrnoException {
  readonly reason?: string
}

/** The refusal for an error of Node's HTTP parser or timers. */
export function refusalOf(error: ParseError, isBody: boolean, limits: EdgeLimits): Refusal {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return refuse('headers-too-large', `The head is longer than ${limits.headerBytes} bytes`)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return bodyTooLarge(limits.bodyBytes)
    case 'HPE_INVALID_TRANSFER_ENCODING':
      if (error.reason?.includes('Content-Length')) return refuse('bad-request', 'Content-Length beside Transfer-Encoding')
      return refuse('not-implemented', 'Transfer-Encoding other than chunked is not supported')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return isBody ? refuse('body-timeout', 'The body took too long') : refuse('head-timeout', 'The request took too long')
    default:
      return refuse('bad-request', 'This is not HTTP/1.1')
  }
}

/** A reply as bytes of HTTP/1.1, for what never became a request. */
export function rawReply(reply: { status: number; headers: Readonly<Record<string, string>>; body: string }): string {
  let head = `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? ''}\r\n`
  for (const name in reply.headers) head += `${name}: ${reply.headers[name]}\r\n`
  return `${head}content-length: ${Buffer.byteLength(reply.body)}\r\nconnection: close\r\n\r\n${reply.body}`
}
