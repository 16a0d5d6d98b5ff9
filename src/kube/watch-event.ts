import { isStatusExpired, memberOf, statusText } from './api-status.ts'

/** An event of a watch: one line. */
export type WatchEvent =
  | ({ readonly kind: 'set' } & ObjectEvent)
  | ({ readonly kind: 'deleted' } & ObjectEvent)
  | { readonly kind: 'bookmark'; readonly revision: string; readonly endsInitialEvents: boolean }
  /** The resourceVersion from which the watch was to be resumed has expired. */
  | { readonly kind: 'expired'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string; readonly retryAfterMs: number | undefined }

export interface ObjectEvent {
  readonly object: unknown
  /** Identifies the object within its collection. */
  readonly key: string
  readonly revision: string
}

/** Reads a line of a watch. A line that is no event gives an `error`. */
export function readWatchEvent(line: unknown): WatchEvent {
  const type = memberOf(line, 'type')
  const object = memberOf(line, 'object')
  if (type === 'ERROR') return readError(object)
  const metadata = memberOf(object, 'metadata')
  const revision = memberOf(metadata, 'resourceVersion')
  if (typeof revision === 'string' && revision !== '') {
    if (type === 'ADDED' || type === 'MODIFIED') return { kind: 'set', object, key: keyOf(metadata), revision }
    if (type === 'DELETED') return { kind: 'deleted', object, key: keyOf(metadata), revision }
    if (type === 'BOOKMARK') {
      const mark = memberOf(memberOf(metadata, 'annotations'), 'k8s.io/initial-events-end')
      return { kind: 'bookmark', revision, endsInitialEvents: mark === 'true' }
    }
  }
  return { kind: 'error', text: `sent an event that can't be understood: ${String(type).slice(0, 40)}`, retryAfterMs: undefined }
}

function readError(status: unknown): WatchEvent {
  if (isStatusExpired(status)) return { kind: 'expired', text: statusText(status) ?? 'expired' }
  const seconds = memberOf(memberOf(status, 'details'), 'retryAfterSeconds')
  return {
    kind: 'error',
    text: statusText(status) ?? 'sent an error without a message',
    retryAfterMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined,
  }
}

function keyOf(metadata: unknown): string {
  return `${String(memberOf(metadata, 'namespace') ?? '')}/${String(memberOf(metadata, 'name'))}`
}
