import { isIPv6 } from 'node:net'
import type { Identity } from './identity.ts'

export interface InClusterSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads a file as text; throws where that fails. */
  readFile(path: string): string
  /** A clock in ms from any origin. */
  now(): number
  /** The directory of the service account's files; where absent, the one that Kubernetes mounts. */
  readonly directory?: string
}

/** The token is read from its file again after this time. The kubelet replaces the file long before the token in it expires. */
const tokenMs = 60_000

/**
 * The identity of a pod by its service account; undefined outside a cluster, or where no token is mounted. `headers()` rejects where the
 * token's file can no longer be read; `refresh()` makes the next request read it again.
 */
export function inClusterIdentity(from: InClusterSources): (Identity & { refresh(): void }) | undefined {
  const { env, now, directory = '/var/run/secrets/kubernetes.io/serviceaccount' } = from
  const host = env['KUBERNETES_SERVICE_HOST']
  const port = env['KUBERNETES_SERVICE_PORT']
  if (!host || !port) return undefined
  const read = (name: string) => from.readFile(`${directory}/${name}`).trim()
  const files = attempt(() => ({ ca: read('ca.crt'), namespace: read('namespace'), token: read('token') }))
  if (files === undefined) return undefined

  let token: string | undefined = files.token
  let readAt = now()
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    tls: { ca: files.ca },
    namespace: files.namespace,
    async headers() {
      if (token === undefined || now() - readAt >= tokenMs) {
        token = read('token')
        readAt = now()
      }
      return { authorization: `Bearer ${token}` }
    },
    refresh() {
      token = undefined
    },
  }
}

function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
