import type { RequestRecord } from './record.ts'

/** Characters that need no escape in JSON, on a terminal or in a log. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Members that are the same for all calls of one tool on the same route by the same caller. */
const sameKeys = [
  'route',
  'caller',
  'agent',
  'backend',
  'server',
  'method',
  'name',
  'clientEra',
  'serverEra',
  'outcome',
  'reason',
  'rule',
] as const satisfies readonly (keyof RequestRecord)[]

interface Seen {
  readonly record: RequestRecord
  readonly text: string
  readonly isPlain: boolean
}

/** How many texts are cached; beyond it the cache is emptied. */
const maxSeen = 1000

/** Writes a record as the members of a JSON object. `isPlain` says that nothing in the text has to be escaped for a terminal. */
export type RequestMembers = (record: RequestRecord) => { readonly text: string; readonly isPlain: boolean }

/** Writes the same text as JSON.stringify at a fraction of the cost, by reusing the text of the last call of the same tool. */
export function createRequestMembers(): RequestMembers {
  const seen = new Map<string, Seen>()
  const wordsOf = (record: RequestRecord): Seen => {
    const key = record.name ?? record.method
    const known = seen.get(key)
    if (known !== undefined && isSameWay(known.record, record)) return known
    const text = sameKeys.flatMap((name) => (record[name] === undefined ? [] : [`,"${name}":${JSON.stringify(record[name])}`])).join('')
    const made = { record, text, isPlain: sameKeys.every((name) => plain.test(record[name] ?? '')) }
    if (seen.size >= maxSeen) seen.clear()
    seen.set(key, made)
    return made
  }
  return (record) => {
    const words = wordsOf(record)
    const { requestId, path, withheld, rpcCode, upstreamMs, traceId } = record
    const isIdPlain = plain.test(requestId)
    const isPlain = words.isPlain && isIdPlain && (traceId === undefined || plain.test(traceId)) && (path === undefined || plain.test(path))
    const text =
      `"requestId":${isIdPlain ? `"${requestId}"` : JSON.stringify(requestId)}${words.text}` +
      `${path === undefined ? '' : `,"path":${JSON.stringify(path)}`}` +
      `${withheld === undefined ? '' : `,"withheld":${withheld}`},"httpStatus":${record.httpStatus}` +
      `${rpcCode === undefined ? '' : `,"rpcCode":${rpcCode}`},"durationMs":${record.durationMs}` +
      `${upstreamMs === undefined ? '' : `,"upstreamMs":${upstreamMs}`},"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}` +
      `${traceId === undefined ? '' : `,"traceId":${JSON.stringify(traceId)}`}`
    return { text, isPlain }
  }
}

function isSameWay(a: RequestRecord, b: RequestRecord): boolean {
  return (
    a.name === b.name &&
    a.method === b.method &&
    a.outcome === b.outcome &&
    a.server === b.server &&
    a.clientEra === b.clientEra &&
    a.serverEra === b.serverEra &&
    a.agent === b.agent &&
    a.route === b.route &&
    a.backend === b.backend &&
    a.caller === b.caller &&
    a.reason === b.reason &&
    a.rule === b.rule
  )
}
