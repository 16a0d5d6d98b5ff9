import { hkdfSync } from 'node:crypto'
import { createDigest } from './digest.ts'

/** The last record of a chain. `digest` is spelled as in the record, with the name of its algorithm. */
export interface ChainHead {
  readonly seq: number
  readonly digest: string
}

/** The head of an empty chain: its first record has seq 1, and 64 zeros as the digest of the previous one. */
export const chainStart: ChainHead = { seq: 0, digest: '0'.repeat(64) }

/**
 * Writes audit records as lines of JSON. `createChainWriter` makes one that links them to a chain; `unchainedWriter` does not link them.
 */
export interface RecordWriter {
  /**
   * Writes the record that follows `head` as a whole line into `target` at an offset; `target` must have room for the body and `linkBytes`
   * more. `body` is a record without its closing brace; `lost` counts the records lost before it. Returns the end of the line and the new
   * head.
   */
  append(target: Buffer, at: number, body: Uint8Array, lost: number, head: ChainHead): { readonly end: number; readonly head: ChainHead }
}

/** Most bytes that a line has besides its body. */
export const linkBytes = 320

const digestMember = ',"digest":"'
const keyedPrefix = 'hmac-sha256:'
const plainPrefix = 'sha256:'

/** Computes the digest in a record's last member, over all bytes of the line before that member. */
export type RecordDigest = (bytes: Uint8Array) => string

/** A digest keyed with a key that is derived from `key` (HKDF, RFC 5869); without a key, one that anybody can compute. */
export function recordDigest(key: Uint8Array | undefined): RecordDigest {
  const digest = createDigest(key === undefined ? undefined : new Uint8Array(hkdfSync('sha256', key, '', 'mcplex audit chain', 32)))
  const prefix = key === undefined ? plainPrefix : keyedPrefix
  return (bytes) => prefix + digest(bytes)
}

/** Makes a writer that gives each record a number, the digest of the record before it and a digest of its own. */
export function createChainWriter(digest: RecordDigest): RecordWriter {
  return {
    append(target, at, body, lost, { seq: before, digest: prev }) {
      const seq = before + 1
      target.set(body, at)
      let end = at + body.length
      end += target.write(`${lostMember(lost)},"seq":${seq},"prev":"${prev}"`, end, 'latin1')
      const made = digest(target.subarray(at, end))
      end += target.write(`${digestMember}${made}"}\n`, end, 'latin1')
      return { end, head: { seq, digest: made } }
    },
  }
}

/** The writer of a log without a chain: records get no numbers and no digests, and the head stays as it is. */
export const unchainedWriter: RecordWriter = {
  append(target, at, body, lost, head) {
    target.set(body, at)
    const end = at + body.length
    return { end: end + target.write(`${lostMember(lost)}}\n`, end, 'latin1'), head }
  },
}

function lostMember(lost: number): string {
  return lost === 0 ? '' : `,"lost":${lost}`
}

/** A record as read from a file. */
export interface LinkedRecord extends ChainHead {
  readonly prev: string
  readonly lost: number
  readonly isKeyed: boolean
  /** The bytes that its digest covers. */
  readonly covered: Uint8Array
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads a line, given without its line end. `unchained` is a JSON object that belongs to no chain, `torn` is no JSON object. */
export function readRecord(line: Uint8Array): LinkedRecord | 'unchained' | 'torn' {
  let text: string
  let value: unknown
  try {
    text = utf8.decode(line)
    value = JSON.parse(text)
  } catch {
    return 'torn'
  }
  if (typeof value !== 'object' || value === null) return 'torn'
  const { seq, prev, digest, lost } = value as Readonly<Record<string, unknown>>
  const isKeyed = typeof digest === 'string' && /^hmac-sha256:[0-9a-f]{64}$/.test(digest)
  if (typeof digest !== 'string' || (!isKeyed && !/^sha256:[0-9a-f]{64}$/.test(digest))) return 'unchained'
  const last = `${digestMember}${digest}"}`
  if (!Number.isSafeInteger(seq) || typeof prev !== 'string' || !text.endsWith(last)) return 'unchained'
  return {
    seq: Number(seq),
    prev,
    digest,
    lost: Number.isSafeInteger(lost) ? Number(lost) : 0,
    isKeyed,
    covered: line.subarray(0, line.length - last.length),
  }
}
