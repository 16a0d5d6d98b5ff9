import type { Failure } from '../connector.ts'

/** Errors that come before anything was sent. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** What an error of undici or the network means for the request. @param isSent whether any of it may have been */
export function failureOf(error: Error, isSent: boolean, isBeforeReply: boolean): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const isTls = code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
  if (!isSent && (unreachable.has(code) || isTls)) return { kind: 'failed', failure: 'unreachable', text: `can't be reached: ${code}` }
  const when = isBeforeReply ? 'before it answered' : 'in the middle of its answer'
  return { kind: 'failed', failure: 'broken', text: `broke the connection ${when}${code === '' ? '' : `: ${code}`}` }
}
