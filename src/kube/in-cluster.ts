import { isIPv6 } from 'node:net'
import type { Identity } from './identity.ts'

export interface InClusterSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file's text; throws where it can't be read. */
  readFile(path: string): string
  /** Milliseconds, from any origin. */
  now(): number
  /** Of the service account's files. */
  readonly directory?: string
}

/** A token is read anew after this time: the kubelet replaces the file long before the one in it expires. */
const tokenMs = 60_000

/**
 * Who a pod is by its service account; undefined outside a cluster, or where the pod was given no token. `headers()` rejects where the
 * token's file has become unreadable; `refresh()` has the file read again at the next request.
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
