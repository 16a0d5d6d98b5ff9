import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { runMcplex } from '../gateway.ts'

/** A record as it stands in a file. */
export type AuditRecord = Readonly<Record<string, unknown>> & { readonly requestId: string; readonly lost?: number }

/** All whole lines of a file; none where it isn't there yet. */
export async function recordsIn(file: string): Promise<readonly AuditRecord[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditRecord)
}

export interface Verdict {
  readonly code: number | undefined
  readonly records: number
  readonly lost: number
  readonly faults: readonly { readonly kind: string; readonly file: string; readonly line: number }[]
}

/** What `mcplex audit verify` says of these files as one chain. */
export async function verify(files: readonly string[], key: string): Promise<Verdict> {
  const { code, stdout, stderr } = await runMcplex(['audit', 'verify', '--key', key, ...files, '--output', 'json'])
  assert.notEqual(stdout, '', stderr)
  return { ...(JSON.parse(stdout) as Omit<Verdict, 'code'>), code }
}

/** Asserts that they are good, and hold so many records. */
export async function assertGood(files: readonly string[], key: string, records: number): Promise<void> {
  const verdict = await verify(files, key)
  assert.deepEqual({ code: verdict.code, faults: verdict.faults, records: verdict.records }, { code: 0, faults: [], records })
}
