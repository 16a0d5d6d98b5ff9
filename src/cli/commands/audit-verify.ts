import { createReadStream, readFileSync } from 'node:fs'
import { type ChainFault, createChainCheck, escapeUnsafe } from '../../observe/observe.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'
import { adviceFor } from './verify-advice.ts'

export interface AuditVerifyOptions {
  /** The `audit.key` of the document, 32 bytes in base64; several where it has changed. */
  readonly key?: readonly string[]
  /** Files that hold such a key. */
  readonly keyFile?: readonly string[]
  /** The digest of the record before the first one in the files. */
  readonly after?: string
}

interface Found extends ChainFault {
  readonly file: string
  readonly line: number
}

/** Longest line that is read as a record. */
const maxLineBytes = 1024 * 1024
/** How many faults are printed one by one. */
const maxTold = 100

/**
 * `mcplex audit verify`: checks files, in their order, as one chain. Ends with 0 where the chain is good; with 1 where it has faults, each
 * named by file and line; with 2 where it can't be proven for want of its key, or files or keys can't be read.
 */
export async function auditVerify(
  files: readonly string[],
  options: AuditVerifyOptions,
  output: 'text' | 'json',
  terminal: Terminal,
): Promise<number> {
  const say = (text: string): void => printLine(terminal.stderr, escapeUnsafe(text))
  const keys = readKeys(options)
  if (typeof keys === 'string') {
    say(`error: ${keys}`)
    return exitCode.wrongArguments
  }
  if (options.after !== undefined && !/^(?:hmac-)?sha256:[0-9a-f]{64}$/.test(options.after)) {
    say('error: --after takes the digest of a record, such as sha256:… or hmac-sha256:…')
    return exitCode.wrongArguments
  }
  const check = createChainCheck({ keys, after: options.after })
  const told: Found[] = []
  let count = 0
  const tell = (fault: Found): void => {
    count++
    if (told.length < maxTold) told.push(fault)
  }
  const starts: { readonly file: string; readonly before: number }[] = []
  let read = 0
  for (const file of files) {
    starts.push({ file, before: read })
    try {
      for await (const { bytes, isEnded } of linesOf(file)) {
        read++
        const fault = check.line(bytes, isEnded)
        if (fault !== undefined) tell({ file, line: read - (starts.at(-1)?.before ?? 0), ...fault })
      }
    } catch (error) {
      say(`error: ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`)
      return exitCode.wrongArguments
    }
  }
  const { endFaults, ...summary } = check.end()
  for (const { line, ...fault } of endFaults) {
    const start = starts.findLast(({ before }) => before < line)
    tell({ file: start?.file ?? '', line: line - (start?.before ?? 0), ...fault })
  }
  const isBad = told.some(({ kind }) => kind !== 'unproven')
  const next = adviceFor(told, summary.digest)

  if (output === 'json') printJson(terminal.stdout, { ...summary, faultCount: count, faults: told, next })
  else {
    for (const { file, line, kind, text } of told) say(`${file}:${line}: ${kind}: ${text}`)
    if (count > told.length) say(`and ${count - told.length} more`)
    if (summary.records > 0) {
      const shown = [`${summary.records} records, seq ${summary.first} to ${summary.last}`, `last digest ${summary.digest}`]
      if (summary.lost > 0) shown.push(`${summary.lost} were lost before they were written, and the chain says where`)
      printLine(terminal.stdout, shown.join('\n'))
    } else printLine(terminal.stdout, 'no records')
    const good = summary.records === 0 ? 'there is nothing to verify' : goodWords(summary.digest)
    say(count === 0 ? good : isBad ? 'the chain is NOT good' : 'the order is good; the rest is not proven')
    for (const text of next) say(`next: ${text}`)
  }
  if (isBad) return exitCode.failed
  return count === 0 ? exitCode.good : exitCode.wrongArguments
}

/** What is printed about a chain without faults. */
function goodWords(digest: string | undefined): string {
  return digest?.startsWith('hmac-')
    ? 'the chain is good'
    : 'the chain is good; it has no key, so whoever can write the file could have made it anew'
}

/** The keys; or what is wrong with one, in words that don't hold it. */
function readKeys({ key = [], keyFile = [] }: AuditVerifyOptions): readonly Uint8Array[] | string {
  const texts = key.map((text) => ({ text, from: '--key' }))
  for (const file of keyFile) {
    try {
      texts.push({ text: readFileSync(file, 'utf8').trim(), from: file })
    } catch (error) {
      return `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  const wrong = texts.find(({ text }) => !/^[A-Za-z0-9+/]{43}=?$/.test(text))
  if (wrong !== undefined) return `${wrong.from} is not 32 bytes in base64`
  return texts.map(({ text }) => Buffer.from(text, 'base64'))
}

/** Reads a file's lines in bounded memory; a line that is too long comes as an empty one. */
async function* linesOf(file: string): AsyncGenerator<{ readonly bytes: Uint8Array; readonly isEnded: boolean }> {
  let parts: Buffer[] = []
  let size = 0
  const keep = (part: Buffer): void => {
    size += part.length
    if (size <= maxLineBytes) parts.push(part)
    else parts = []
  }
  const take = (): Uint8Array => {
    const line = Buffer.concat(parts)
    parts = []
    size = 0
    return line
  }
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    const bytes = chunk as Buffer
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      keep(bytes.subarray(start, end))
      yield { bytes: take(), isEnded: true }
      start = end + 1
    }
    keep(bytes.subarray(start))
  }
  if (size > 0) yield { bytes: take(), isEnded: false }
}
