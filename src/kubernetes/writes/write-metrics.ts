import type { ApiReply } from '../../kube/kube.ts'

/** Counts the requests that change something in the cluster. */
export interface WriteMetrics {
  /** Counts one such request for this kind of object, or for the status of one (`Gateway status`). */
  countWrite(kind: string, outcome: ReturnType<typeof outcomeOf>): void
}

/** The outcome of a write as metrics count it. */
export function outcomeOf(reply: ApiReply): 'ok' | 'conflict' | 'refused' | 'failed' {
  if (reply.kind === 'unreachable' || reply.status >= 500 || reply.status === 429) return 'failed'
  if (reply.status === 409) return 'conflict'
  return reply.status < 300 ? 'ok' : 'refused'
}
