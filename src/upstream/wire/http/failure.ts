import type { Failure } from '../connector.ts'
import { noHttp, wordsOfCode } from '../failure-words.ts'

/**
 * The failure that an error of undici or the network stands for.
 * @param isSent whether any part of the request may have been sent
 * @param at HOST:PORT
 */
export function failureOf(error: Error, isSent: boolean, isBeforeReply: boolean, at: string): Failure {
  if (error.name === 'HTTPParserError') {
    const { says, remedy } = noHttp(at)
    return { kind: 'failed', failure: 'broken', text: says, remedy }
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const { says, remedy } = wordsOfCode(code, at)
  const more = says === '' ? '' : `: ${says}`
  // A request with an invalid argument fails without the server's doing.
  if (!isSent && code !== 'UND_ERR_INVALID_ARG') return { kind: 'failed', failure: 'unreachable', text: `can't be reached${more}`, remedy }
  if (!isBeforeReply) return { kind: 'failed', failure: 'broken', text: `broke the connection in the middle of its answer${more}` }
  return { kind: 'failed', failure: 'broken', text: `broke the connection before it answered${more}`, remedy }
}
