import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Identity, inClusterIdentity } from '../../kube/kube.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface IdentityOptions {
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
}

export type FoundIdentity =
  /** `isPod`: the identity is the service account of the pod that this process runs in. */
  | { readonly kind: 'found'; readonly identity: Identity & { refresh(): void }; readonly isPod: boolean }
  | { readonly kind: 'missing'; readonly text: string }

/**
 * Finds the identity for the API server: that of a named kubeconfig, else in a pod its service account, else as kubectl does: $KUBECONFIG,
 * or `~/.kube/config`.
 */
export async function kubeIdentity({ kubeconfig, context }: IdentityOptions, { env }: Pick<Terminal, 'env'>): Promise<FoundIdentity> {
  const now = () => performance.now()
  if (kubeconfig === undefined && context === undefined) {
    const identity = inClusterIdentity({ env, readFile: (path) => readFileSync(path, 'utf8'), now })
    if (identity !== undefined) return { kind: 'found', identity, isPod: true }
  }
  const known = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  const files = kubeconfig === undefined ? (known.length > 0 ? known : [join(env['HOME'] ?? '', '.kube/config')]) : [kubeconfig]
  const present = files.filter((file) => existsSync(file))
  if (present.length === 0)
    return { kind: 'missing', text: `this is no pod, and there is no ${files.join(', ')}: name a file by --kubeconfig` }
  try {
    // Loaded only here, since its libraries are large and a pod doesn't need them.
    const { kubeconfigIdentity } = await import('./kubeconfig.ts')
    return { kind: 'found', identity: await kubeconfigIdentity(present, context, now), isPod: false }
  } catch (error) {
    return { kind: 'missing', text: `${present.join(', ')}: ${error instanceof Error ? error.message : String(error)}` }
  }
}
