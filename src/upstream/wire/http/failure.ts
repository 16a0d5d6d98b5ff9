import type { Failure } from '../connector.ts'

/** What an error of undici or the network means for the request. @param isSent whether any of it may have been */
export function failureOf(error: Error, isSent: boolean, isBeforeReply: boolean): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // A request that can't be written says nothing about the server.
  if (!isSent && code !== 'UND_ERR_INVALID_ARG')
    return { kind: 'failed', failure: 'unreachable', text: `can't be reached${code === '' ? '' : `: ${code}`}` }
  const when = isBeforeReply ? 'before it answered' : 'in the middle of its answer'
  return { kind: 'failed', failure: 'broken', text: `broke the connection ${when}${code === '' ? '' : `: ${code}`}` }
}
