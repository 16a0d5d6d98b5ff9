import type { Log } from '../log/log.ts'
import type { SinkState } from '../metrics/metrics.ts'
import type { TextStream } from '../records/records.ts'
import { createChainWriter, type RecordWriter, recordDigest, unchainedWriter } from './chain.ts'
import type { AuditEntry } from './entry.ts'
import { createFilePort } from './file-port.ts'
import { createHttpPort } from './http-port.ts'
import { createOutlet, type Outlet } from './outlet.ts'
import type { Port } from './port.ts'
import { createRecordBody } from './record-body.ts'
import type { AuditSettings, AuditSinkSettings } from './settings.ts'
import { createStreamPort } from './stream-port.ts'

/** A sink that takes no records. */
export interface SinkFault {
  readonly sink: AuditSinkSettings
  /** Which one, why, and what becomes of requests meanwhile. */
  readonly text: string
}

/** Records requests in all sinks of one `audit` setting. No method throws or waits. */
export interface Audit {
  /** False while a sink fails or is full and the settings say that requests are refused then. */
  readonly isOpen: boolean
  /** Its sinks that take no records now, each with the reason. */
  readonly faults: readonly SinkFault[]
  write(entry: AuditEntry): void
  /** Records that its sinks have lost. */
  readonly dropped: number
  /**
   * Resolves when everything written has been stored, or after `graceMs`. Records that requests still in progress write later are stored
   * too.
   */
  close(graceMs: number): Promise<void>
  /** Hands buffered records to the sinks as far as that can be done synchronously; the process calls it when it exits. */
  flush(): void
}

/**
 * The audits of one process. Records for one destination are written in one order and as one chain, whichever audit they come from, also
 * while one configuration replaces another; the audit opened last decides how that destination's records are linked.
 */
export interface Audits {
  open(settings: AuditSettings): Audit
  /** Records that any sink has lost since the process began. */
  readonly dropped: number
  /** The sinks that records go to now. */
  readonly sinks: readonly SinkState[]
  flush(): void
}

export interface AuditDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: Log
  readonly stdout: TextStream
}

/** An audit that shares its sinks with no other. */
export function createAudit(settings: AuditSettings, deps: AuditDeps): Audit {
  return createAudits(deps).open(settings)
}

/** How long records that are written after the close may take to be stored. */
const lateMs = 5000

interface Place {
  readonly outlet: Outlet
  /** The audits that write to it. Each has its own choice of what happens to requests when it is full. */
  readonly owners: Map<object, { readonly whenFull: AuditSettings['whenFull']; look(): void }>
}

export function createAudits(deps: AuditDeps): Audits {
  /** By the JSON text of a sink's settings; as many as the documents in force have sinks. */
  const places = new Map<string, Place>()
  let droppedBefore = 0

  function join(sink: AuditSinkSettings, owner: object, { whenFull, writer, look, isLate }: Joining): Place {
    const key = JSON.stringify(sink)
    const known = places.get(key)
    const owners: Place['owners'] = known?.owners ?? new Map()
    owners.set(owner, { whenFull, look })
    const settings = { writer, whenFull: strictest(owners) }
    if (!isLate) known?.outlet.configure(settings)
    const onChange = () => {
      for (const one of owners.values()) one.look()
    }
    const place = known ?? { owners, outlet: createOutlet(createPort(sink, deps), settings, { log: deps.log, onChange }) }
    places.set(key, place)
    return place
  }

  async function leave(sink: AuditSinkSettings, owner: object): Promise<void> {
    const key = JSON.stringify(sink)
    const place = places.get(key)
    if (place?.owners.delete(owner) !== true || place.owners.size > 0) return
    places.delete(key)
    await place.outlet.close()
    droppedBefore += place.outlet.dropped
  }

  return {
    open(settings) {
      const body = createRecordBody(settings, deps.now)
      const owner = {}
      const writer = writerOf(settings)
      const look = () => {
        audit.isOpen = settings.whenFull === 'drop' || joined.every(({ outlet }) => outlet.isWell)
      }
      // A sink that is listed twice is used once.
      const sinks = [...new Map(settings.sinks.map((sink) => [JSON.stringify(sink), sink])).values()]
      const joinAll = (isLate: boolean) => sinks.map((sink) => join(sink, owner, { whenFull: settings.whenFull, writer, look, isLate }))
      const leaveAll = async (graceMs: number) => {
        await Promise.all(joined.map(({ outlet }) => outlet.drained(graceMs)))
        if (hasLeft) return
        hasLeft = true
        await Promise.all(sinks.map((sink) => leave(sink, owner)))
      }
      let hasLeft = false
      let joined = joinAll(false)
      const audit = {
        isOpen: true,
        get faults() {
          const meanwhile =
            settings.whenFull === 'refuse'
              ? 'requests are refused until it takes records'
              : 'requests are served, and the oldest records are lost'
          return joined.flatMap(({ outlet: { name, fault } }, i) => {
            const sink = sinks[i]
            return sink === undefined || fault === undefined ? [] : [{ sink, text: `${name}: ${fault}; ${meanwhile}` }]
          })
        },
        write(entry: AuditEntry) {
          const made = body(entry)
          const isLate = hasLeft
          if (isLate) {
            hasLeft = false
            joined = joinAll(true)
          }
          for (const { outlet } of joined) outlet.push(made)
          if (isLate) void leaveAll(lateMs)
        },
        get dropped() {
          return joined.reduce((sum, { outlet }) => sum + outlet.dropped, 0)
        },
        close: leaveAll,
        flush() {
          for (const { outlet } of joined) outlet.flush()
        },
      }
      look()
      return audit
    },
    get dropped() {
      return [...places.values()].reduce((sum, { outlet }) => sum + outlet.dropped, droppedBefore)
    },
    get sinks() {
      return [...places.values()].map(({ outlet: { name, isWell } }) => ({ name, isWell }))
    },
    flush() {
      for (const { outlet } of places.values()) outlet.flush()
    },
  }
}

interface Joining {
  readonly whenFull: AuditSettings['whenFull']
  readonly writer: RecordWriter
  /** Whether the audit was closed and joins again only to write a last record. It then leaves `writer` as newer audits have set it. */
  readonly isLate: boolean
  look(): void
}

/** `refuse` if any of the audits wants it: then no record is dropped. */
function strictest(owners: Place['owners']): AuditSettings['whenFull'] {
  return [...owners.values()].some(({ whenFull }) => whenFull === 'refuse') ? 'refuse' : 'drop'
}

function writerOf({ chain, key, isKeyLasting }: AuditSettings): RecordWriter {
  return chain ? createChainWriter(recordDigest(isKeyLasting ? key : undefined)) : unchainedWriter
}

function createPort(sink: AuditSinkSettings, { now, log, stdout }: AuditDeps): Port {
  switch (sink.kind) {
    case 'file':
      return createFilePort(sink.path, { now, log })
    case 'http':
      return createHttpPort(sink)
    case 'stdout':
      return createStreamPort('stdout', stdout)
  }
}
