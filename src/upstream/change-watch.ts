import { headersFor, listenRequest } from '../era/era.ts'
import type { Message } from '../mcp/mcp.ts'
import type { Connector, Listening } from './connector.ts'
import type { MeetOptions, Met } from './meet.ts'
import type { Timers } from './timers.ts'

/** The stream on which a server says that its tools changed: one for each server, whatever clients there are. */
export interface ChangeWatch {
  /** Opens the stream where the server has one and it isn't open; it is opened again when it ends. */
  open(met: Met): void
  close(): void
}

export interface ChangeWatchOptions {
  readonly connector: Connector
  readonly timers: Timers
  readonly meet: MeetOptions
  readonly now: () => number
  /** The server says that its tools changed. */
  readonly onChange: () => void
  /** The stream has ended: the server may be gone, and notices may be lost. */
  readonly onEnd: () => void
  readonly onRequest: (met: Met, message: Message, method: string) => void
}

const firstRetryMs = 1000
const maxRetryMs = 30_000

export function createChangeWatch(options: ChangeWatchOptions): ChangeWatch {
  const { connector, timers, now } = options
  let stream: Listening | undefined
  let failures = 0

  const open = (met: Met) => {
    if (stream !== undefined || !met.facts.toolsChange || timers.isRunning('changes')) return
    const openedAt = now()
    const outbound =
      met.era.name === 'modern'
        ? { method: 'POST' as const, ...listenRequest(options.meet.nextId(), options.meet.clientInfo) }
        : { method: 'GET' as const, headers: headersFor(met.facts.version, met.session) }
    stream = connector.listen({
      ...outbound,
      onMessage(message, method) {
        if (method === 'notifications/tools/list_changed') options.onChange()
        else if (method !== undefined) options.onRequest(met, message, method)
      },
      onEnd(status, retryMs) {
        stream = undefined
        if (status >= 400 && status !== 404) return
        if (now() - openedAt > maxRetryMs) failures = 0
        options.onEnd()
        // The server may ask for a longer wait, never for a shorter one.
        const wait = Math.min(maxRetryMs, Math.max(retryMs ?? 0, firstRetryMs * 2 ** failures++))
        timers.start('changes', wait, () => open(met))
      },
    })
  }

  return {
    open,
    close() {
      stream?.close()
      stream = undefined
      timers.cancel('changes')
    },
  }
}
