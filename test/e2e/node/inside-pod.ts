import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'

// This text is run in a pod, where there is no other file of the tests: it asks the API server as the pod's account, tries to write, and says
// what it saw as JSON.

/** What is to be tried there. */
export interface Trials {
  /** Requests to the API server: method, path and where needed a body. */
  readonly asked: readonly (readonly [method: string, path: string, body?: unknown])[]
  /** Paths of files to be written. */
  readonly written: readonly string[]
}

export interface Seen {
  /** HTTP statuses, in the order of what was asked. */
  readonly statuses: readonly number[]
  /** The codes of the errors, or `written`, by path. */
  readonly writes: Readonly<Record<string, string>>
  /** `/proc/1/status` and `/proc/1/mounts`: the pod's own program is its first process. */
  readonly status: string
  readonly mounts: string
}

const { asked, written }: Trials = JSON.parse(process.argv.at(-1) ?? '')
const account = (name: string) => readFileSync(`/var/run/secrets/kubernetes.io/serviceaccount/${name}`, 'utf8')
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env

function ask(method: string, path: string, body: unknown): Promise<number> {
  return new Promise((resolve, reject) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { authorization: `Bearer ${account('token')}`, 'content-type': type }
    const outgoing = request({ host, port, path, method, headers, ca: account('ca.crt'), agent: false }, (response) => {
      response.destroy()
      resolve(response.statusCode ?? 0)
    })
    outgoing.once('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function write(path: string): string {
  try {
    writeFileSync(path, '')
    return 'written'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const seen: Seen = {
  statuses: await Promise.all(asked.map(([method, path, body]) => ask(method, path, body))),
  writes: Object.fromEntries(written.map((path) => [path, write(path)])),
  status: readFileSync('/proc/1/status', 'utf8'),
  mounts: readFileSync('/proc/1/mounts', 'utf8'),
}
console.log(JSON.stringify(seen))
