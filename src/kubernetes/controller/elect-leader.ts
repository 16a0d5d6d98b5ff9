import { type ApiClient, statusText } from '../../kube/kube.ts'
import type { Log } from '../../observe/observe.ts'
import { isRaw, numberAt, type Raw, rawAt, textAt } from '../objects/objects.ts'

/** Whether this controller is the leader, which alone writes. */
export interface Leadership {
  /** A signal that is aborted when the term as leader ends; undefined while this controller does not lead. */
  term(): AbortSignal | undefined
  /** Ends the term and releases the lease, so that another controller need not wait for it to expire. */
  stop(): Promise<void>
}

/** The Lease, and who asks for it. */
export interface ElectionOptions {
  /** The namespace of the Lease. */
  readonly namespace: string
  readonly name: string
  /** The holder identity, different for each process. */
  readonly holder: string
}

/** What an election needs. */
export interface ElectionDeps {
  readonly log: Log
  /** Milliseconds, from any origin, never going back. */
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly wallClock: () => number
  readonly random: () => number
  readonly onChange: (isLeader: boolean) => void
}

/** `leaseDurationSeconds`: how long others leave a lease alone that is not renewed. */
const leaseSeconds = 15
/** A leader that could not renew its lease for this long stops leading, well before others may take its place. */
const renewMs = 10_000
const retryMs = 2000
const requestMs = 5000

/**
 * Takes part in an election by a Lease (coordination.k8s.io/v1) until it is stopped. Another's lease has expired when it has not changed for
 * its duration on this machine's clock: clocks of machines are never compared.
 */
export function electLeader(client: ApiClient, { namespace, name, holder }: ElectionOptions, deps: ElectionDeps): Leadership {
  const { log, now, wallClock, random, onChange } = deps
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const path = `${collection}/${name}`
  let term: AbortController | undefined
  let validUntilMs = 0
  let seen = { text: '', atMs: 0 }
  let failure = ''
  let leader: string | undefined
  let expiry: NodeJS.Timeout | undefined
  let pause: NodeJS.Timeout | undefined
  let endPause = () => {}
  let isStopped = false

  /** Writes the Lease, if the version that was read is still there. */
  async function write(lease: Raw | undefined, spec: Raw): Promise<boolean> {
    const metadata = lease === undefined ? { name, namespace } : lease['metadata']
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { ...rawAt(lease, 'spec'), ...spec } }
    const around = lease === undefined ? ({ method: 'POST', path: collection } as const) : ({ method: 'PUT', path } as const)
    const reply = await client.request({ ...around, body, timeoutMs: requestMs })
    if (reply.kind === 'reply' && (reply.status < 300 || reply.status === 409)) return reply.status < 300
    const isHomeless = reply.kind === 'reply' && reply.status === 404 && lease === undefined
    const remedy = isHomeless ? `: kubectl create namespace ${namespace}, or name another by --namespace` : ''
    say(reply.kind === 'unreachable' ? reply.text : `${statusText(reply.body) ?? `status ${reply.status}`}${remedy}`)
    return false
  }

  /** Logs a failure once, not with each attempt. */
  function say(text: string): void {
    if (text !== '' && text !== failure) log.warn({ lease: `${namespace}/${name}`, text }, 'the lease of the leader can not be had')
    failure = text
  }

  async function attempt(): Promise<void> {
    const startedMs = now()
    const reply = await client.request({ method: 'GET', path, timeoutMs: requestMs })
    if (reply.kind === 'unreachable' || (reply.status >= 300 && reply.status !== 404)) {
      return say(reply.kind === 'unreachable' ? reply.text : (statusText(reply.body) ?? `status ${reply.status}`))
    }
    const lease = reply.status === 404 || !isRaw(reply.body) ? undefined : reply.body
    const spec = rawAt(lease, 'spec')
    const other = textAt(spec, 'holderIdentity')
    if (other !== undefined && other !== holder) {
      end('another controller has the lease')
      if (other !== leader) log.info({ lease: `${namespace}/${name}`, leader: other }, 'another controller leads: this one stands by')
      leader = other
      const text = JSON.stringify(spec)
      if (text !== seen.text) seen = { text, atMs: startedMs }
      if (startedMs - seen.atMs < (numberAt(spec, 'leaseDurationSeconds') ?? leaseSeconds) * 1000) return say('')
    }
    if (isStopped) return
    const time = microTime(wallClock())
    const isOurs = other === holder
    const taken = { acquireTime: time, leaseTransitions: (numberAt(spec, 'leaseTransitions') ?? 0) + (lease === undefined ? 0 : 1) }
    const held = { holderIdentity: holder, leaseDurationSeconds: leaseSeconds, renewTime: time }
    if (!(await write(lease, isOurs ? held : { ...held, ...taken }))) return
    say('')
    if (!isStopped) lead(startedMs)
  }

  function lead(sinceMs: number): void {
    validUntilMs = sinceMs + renewMs
    clearTimeout(expiry)
    expiry = setTimeout(() => end('the lease could not be renewed in time'), validUntilMs - now())
    if (term !== undefined) return
    term = new AbortController()
    leader = undefined
    log.info({ holder, lease: `${namespace}/${name}` }, 'leading: this controller writes')
    onChange(true)
  }

  function end(why: string): void {
    if (term === undefined) return
    clearTimeout(expiry)
    term.abort()
    term = undefined
    log.info({ holder, why }, 'leading no more')
    onChange(false)
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await attempt()
      if (isStopped) return
      await new Promise<void>((resolve) => {
        endPause = resolve
        pause = setTimeout(resolve, retryMs * (1 + random() / 5))
      })
    }
  }
  const ended = run()

  return {
    // A process that stood still may ask before its timers run.
    term: () => (now() < validUntilMs ? term?.signal : undefined),
    async stop() {
      const wasLeader = term !== undefined
      isStopped = true
      end('stopped')
      clearTimeout(pause)
      endPause()
      await ended
      if (!wasLeader) return
      const reply = await client.request({ method: 'GET', path, timeoutMs: requestMs })
      if (reply.kind !== 'reply' || !isRaw(reply.body) || textAt(reply.body, 'spec', 'holderIdentity') !== holder) return
      await write(reply.body, { holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(wallClock()) })
    },
  }
}

/** metav1.MicroTime wants six digits after the dot. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
