import { readFileSync } from 'node:fs'
import type { Asker } from '../../gateway/gateway.ts'
import { readObject } from '../../mcp/mcp.ts'

/** How the options of a command say who asks. */
export interface AskerOptions {
  /** A file with the caller's token; `-` is standard input. */
  readonly token?: string
  /** A file with the claims of a token, as JSON. */
  readonly claims?: string
  readonly apiKey?: string
}

/** Who asks; or a text that says what is wrong with the files that tell it. */
export function askerOf(agent: string, { token, claims, apiKey }: AskerOptions): Asker | string {
  try {
    const claimsText = claims === undefined ? undefined : readFileSync(claims, 'utf8')
    if (claimsText !== undefined && readObject(claimsText) === undefined) return `${claims} holds no JSON object`
    return {
      agent,
      ...(token === undefined ? {} : { token: readSecretFile(token) }),
      ...(claimsText === undefined ? {} : { claims: claimsText }),
      ...(apiKey === undefined ? {} : { apiKey }),
    }
  } catch (error) {
    return `${token ?? claims} ${unreadable(error)}`
  }
}

/** What a file holds, or standard input where it is `-`, without space around it. Throws where it can't be read. */
export function readSecretFile(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8').trim()
}

export function unreadable(error: unknown): string {
  return `can't be read (${error instanceof Error && 'code' in error ? error.code : 'unknown reason'})`
}
