import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Kubectl } from './kubectl.ts'

/** A pod that is not about to end. */
export interface RunningPod {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly address: string
  readonly isReady: boolean
  /** Of its one container. */
  readonly restarts: number
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly status: {
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly { readonly restartCount: number }[]
  }
}

/** Those that have these labels and an address, by name. */
export async function podsOf(cluster: Kubectl, namespace: string, labels: string): Promise<readonly RunningPod[]> {
  const { items } = JSON.parse(await cluster.must('get', 'pods', '-n', namespace, '-l', labels, '--sort-by=.metadata.name', '-o', 'json'))
  return (items as readonly PodObject[]).flatMap(({ metadata, status }) =>
    metadata.deletionTimestamp !== undefined || status.podIP === undefined
      ? []
      : {
          name: metadata.name,
          namespace,
          uid: metadata.uid,
          address: status.podIP,
          isReady: status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
          restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
        },
  )
}

/** Ends all processes of a pod's containers by SIGKILL; when it returns they are dead, and this process has done nothing else. */
export function killContainers({ name, uid }: RunningPod): void {
  const processes = readdirSync('/proc').filter((id) => /^\d+$/.test(id) && isOf(id, uid))
  if (processes.length === 0) throw new Error(`pod ${name} has no process`)
  for (const id of processes) process.kill(Number(id), 'SIGKILL')
  while (!processes.every(isDead)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

/** By the port on this side, at which pod the connections to an address of a Service end, or ended not long ago. */
export function podsByPort(service: string): ReadonlyMap<number, string> {
  const pods = new Map<number, string>()
  for (const line of readFileSync('/proc/net/nf_conntrack', 'utf8').split('\n')) {
    const [, asked, port, answers] = / src=\S+ dst=(\S+) sport=(\d+) .*? src=(\S+)/.exec(line) ?? []
    if (asked === service && port !== undefined && answers !== undefined) pods.set(Number(port), answers)
  }
  return pods
}

/** At which pod a new connection to an address of a Service ends. Throws where none can be made. */
export function podBehind(service: string, port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, service, () => {
      resolve(podsByPort(service).get(socket.localPort ?? 0))
      socket.destroy()
    }).once('error', reject)
  })
}

/** The program that keeps a pod's namespaces is the pod, not one of its containers. */
function isOf(process: string, uid: string): boolean {
  try {
    return (
      readFileSync(`/proc/${process}/cgroup`, 'utf8').includes(uid) &&
      !readFileSync(`/proc/${process}/cmdline`, 'utf8').startsWith('/pause')
    )
  } catch {
    // it has ended
    return false
  }
}

/** None of its threads keeps anything open. */
function isDead(process: string): boolean {
  try {
    const [, state] = /\) (\S)/.exec(readFileSync(`/proc/${process}/stat`, 'utf8')) ?? []
    return state === 'Z' && readdirSync(`/proc/${process}/task`).length === 1
  } catch {
    return true
  }
}
