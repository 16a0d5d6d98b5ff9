import { prepared } from './cache.ts'
import { type Finished, run } from './child.ts'
import { missing, type Part } from './part.ts'

const version = '3.22.0'

/** Helm with one kubeconfig, or without a cluster. */
export interface Helm {
  /** To its end, whatever that is. */
  run(...args: readonly string[]): Promise<Finished>
  /** Its stdout; throws with what it wrote where it fails. */
  must(...args: readonly string[]): Promise<string>
}

/** The path of Helm, built from its Go module: a minute or two the first time. */
export async function helm(): Promise<Part<string>> {
  const go = await run('go', ['env', 'GOVERSION'])
  if (go.code !== 0) return missing(`Helm is built by Go, which isn't installed: ${go.stderr.trim()}`)
  const made = await prepared(`helm-${version}-${go.stdout.trim()}`, async (directory) => {
    const args = ['install', '-trimpath', '-ldflags', '-s -w', `helm.sh/helm/v3/cmd/helm@v${version}`]
    const done = await run('go', args, { env: { GOBIN: directory, CGO_ENABLED: '0' }, cwd: directory, timeoutMs: 1_800_000 })
    if (done.code !== 0) throw new Error(`go ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stderr.slice(-2000)}`)
  })
  return made.kind === 'ready' ? { kind: 'ready', value: `${made.value}/helm` } : made
}

/** The executable with that kubeconfig; what it caches goes into `directory`. */
export function helmOf(program: string, { kubeconfig, directory }: { readonly kubeconfig?: string; readonly directory: string }): Helm {
  const env = { HOME: directory, KUBECONFIG: kubeconfig ?? '/dev/null' }
  const self: Helm = {
    run: (...args) => run(program, args, { env, timeoutMs: 120_000 }),
    async must(...args) {
      const done = await self.run(...args)
      if (done.code === 0) return done.stdout
      throw new Error(`helm ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stdout}${done.stderr}`)
    },
  }
  return self
}
