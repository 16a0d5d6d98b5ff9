import type { Failure } from '../../cel/cel.ts'
import { readJson } from '../../mcp/mcp.ts'

const jsonLimits = { depth: 64, tokens: 100_000 }
export const noArguments: ReadonlyMap<string, unknown> = new Map()

/** Parses a call's arguments; what two parsers could understand differently is a failure. */
export function readArguments(
  args: string | undefined,
): { readonly kind: 'value'; readonly value: ReadonlyMap<string, unknown> } | Failure {
  if (args === undefined) return { kind: 'value', value: noArguments }
  const read = readJson(args, jsonLimits)
  if (read.kind === 'fault') return { kind: 'failure', why: `can't read the arguments: ${read.text}` }
  return read.value instanceof Map
    ? { kind: 'value', value: read.value }
    : { kind: 'failure', why: 'is asked of arguments that are no object' }
}
