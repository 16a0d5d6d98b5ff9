import { type ChainHead, chainStart, readRecord, recordDigest } from './chain.ts'

/**
 * What is wrong with a line. `unproven`: the records can't be checked without the key. `unkeyed`: there is a key, but the records' digests
 * are not keyed.
 */
export type ChainFaultKind =
  | 'altered'
  | 'doubled'
  | 'inserted'
  | 'new-chain'
  | 'removed'
  | 'reordered'
  | 'replaced'
  | 'torn'
  | 'unkeyed'
  | 'unproven'

export interface ChainFault {
  readonly kind: ChainFaultKind
  /** For people. */
  readonly text: string
}

export interface ChainSummary {
  readonly records: number
  /** Undefined where there is none. */
  readonly first: number | undefined
  readonly last: number | undefined
  /** The digest of the last record. */
  readonly digest: string | undefined
  /** How many records the process itself reported as lost. */
  readonly lost: number
  /** Faults that only the end of the chain shows, each with the line that it is about. */
  readonly endFaults: readonly (ChainFault & { readonly line: number })[]
}

/** Checks the lines of one chain in their order. It remembers at most 1000 digests. */
export interface ChainCheck {
  /** @param line without its end; `isEnded` says whether it had one */
  line(line: Uint8Array, isEnded: boolean): ChainFault | undefined
  /** Ends the check. Lines are numbered from 1 over everything that was read. */
  end(): ChainSummary
}

export interface ChainCheckSettings {
  /** Keys that the records may have been made with. */
  readonly keys: readonly Uint8Array[]
  /** The digest of the record before the first one, where that record is missing; undefined where the chain must begin with seq 1. */
  readonly after: string | undefined
}

/** How many records are remembered to tell a duplicate of one from a record that stands too late. */
const maxRemembered = 1000

export function createChainCheck({ keys, after }: ChainCheckSettings): ChainCheck {
  const plainDigest = recordDigest(undefined)
  const keyedDigests = keys.map(recordDigest)
  const recent = new Set<string>()
  let expected: ChainHead = after === undefined ? chainStart : { seq: Number.NaN, digest: after }
  let lines = 0
  let records = 0
  let first: number | undefined
  let last: ChainHead | undefined
  let lost = 0
  /** The line from which on records have only a plain digest although there is a key. */
  let unkeyedFrom: number | undefined
  let unprovenFrom: number | undefined

  function remember(digest: string): void {
    if (recent.size >= maxRemembered) for (const oldest of recent) if (recent.delete(oldest)) break
    recent.add(digest)
  }

  function check(line: Uint8Array): ChainFault | undefined {
    const record = readRecord(line)
    if (record === 'torn') return { kind: 'torn', text: 'this is no whole record: it was cut off as it was written, or altered' }
    if (record === 'unchained') return { kind: 'inserted', text: 'this is no record of a chain' }
    const { seq, prev, digest, isKeyed, covered } = record
    const isProvable = !isKeyed || keyedDigests.length > 0
    const isProven = isKeyed ? keyedDigests.some((make) => make(covered) === digest) : plainDigest(covered) === digest
    if (isProvable && !isProven) {
      // The next record was linked to this one as it was before it was altered.
      expected = { seq, digest }
      return { kind: 'altered', text: `record ${seq} is not as it was written${isKeyed ? ', or its key is another one' : ''}` }
    }
    if (recent.has(digest)) return { kind: 'doubled', text: `record ${seq} was here before` }
    const fault = placeFault(seq, prev)
    if (fault?.kind === 'reordered') return fault
    expected = { seq, digest }
    remember(digest)
    if (!isProvable) unprovenFrom ??= lines
    if (isKeyed) unkeyedFrom = undefined
    else if (keys.length > 0) unkeyedFrom ??= lines
    records++
    first ??= seq
    last = expected
    lost += record.lost
    return fault
  }

  function placeFault(seq: number, prev: string): ChainFault | undefined {
    if (Number.isNaN(expected.seq)) {
      return prev === expected.digest ? undefined : { kind: 'removed', text: `record ${seq} does not follow the digest that was given` }
    }
    const next = expected.seq + 1
    if (seq === next) {
      if (prev === expected.digest) return undefined
      return { kind: 'replaced', text: `record ${seq} follows another record than the one before it` }
    }
    if (seq === 1 && prev === chainStart.digest) return { kind: 'new-chain', text: 'another chain begins here; verify it by itself' }
    if (seq < next) return { kind: 'reordered', text: `record ${seq} stands behind record ${expected.seq}` }
    const gone = seq - 1 === next ? `record ${next} is` : `records ${next} to ${seq - 1} are`
    return { kind: 'removed', text: `${gone} not here${expected.seq === 0 ? ': give the files before this one too, or --after' : ''}` }
  }

  return {
    line(line, isEnded) {
      lines++
      const fault = check(line)
      if (fault !== undefined || isEnded) return fault
      return { kind: 'torn', text: 'the last line has no end' }
    },
    end() {
      const endFaults: (ChainFault & { line: number })[] = []
      if (unkeyedFrom !== undefined) {
        endFaults.push({
          line: unkeyedFrom,
          kind: 'unkeyed',
          text: 'from here on digests have no key: anybody could have written these records',
        })
      }
      if (unprovenFrom !== undefined) {
        const text = 'from here on digests are keyed: whether records were altered shows only with --key-file'
        endFaults.push({ line: unprovenFrom, kind: 'unproven', text })
      }
      return { records, first, last: last?.seq, digest: last?.digest, lost, endFaults }
    },
  }
}
