import { createHash } from 'node:crypto'
import { cp, readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { prepared } from './cache.ts'
import { run, type Surroundings } from './child.ts'
import { missing, type Part, ready } from './part.ts'

const sources = join(import.meta.dirname, '../kubebox')
const gatewayApi = '1.5.1'

/** A Kubernetes, and the definitions of the Gateway API's kinds. */
export interface Kubebox {
  /** The path of the one executable: its first argument is `etcd`, `kube-apiserver`, `kubectl` or another of `../kubebox/main.go`. */
  readonly program: string
  /** The path of an executable without dependencies that keeps a pod's namespaces. */
  readonly pause: string
  /** A directory of CustomResourceDefinitions: the standard channel. */
  readonly gatewayApi: string
}

/** Kubernetes built from its Go modules: minutes the first time, so `prepare-kubebox.ts` does it before tests with a time limit need it. */
export async function kubebox(): Promise<Part<Kubebox>> {
  const files = new Map<string, string>()
  for (const name of (await readdir(sources, { recursive: true })).filter((path) => extname(path) !== '').sort()) {
    files.set(name, await readFile(join(sources, name), 'utf8'))
  }
  const module = files.get('go.mod') ?? ''
  const wanted = wordAfter(module, 'go ')
  const version = wordAfter(module, 'require k8s.io/kubernetes v')

  const go = await run('go', ['env', 'GOVERSION'], { cwd: sources })
  const compiler = go.stdout.trim()
  if (go.code !== 0) return missing(`Go isn't installed, or not as Kubernetes ${version} needs it (${wanted}): ${go.stderr.trim()}`)
  if (!isAtLeast(compiler.replace('go', ''), wanted)) return missing(`Kubernetes ${version} needs Go ${wanted}; this is ${compiler}`)

  const args = buildArgs(version)
  const digest = createHash('sha256')
    .update(JSON.stringify([args, ...files]))
    .digest('hex')
    .slice(0, 8)
  const built = await prepared(`kubebox-${version}-${compiler}-${digest}`, async (directory) => {
    await runGo(['build', '-o', directory, ...args], { cwd: sources, env: { CGO_ENABLED: '0' } })
  })
  if (built.kind === 'missing') return built
  const definitions = await prepared(`gateway-api-${gatewayApi}`, async (directory) => {
    const module = JSON.parse(await runGo(['mod', 'download', '-json', `sigs.k8s.io/gateway-api@v${gatewayApi}`]))
    await cp(join(module.Dir, 'config/crd/standard'), directory, { recursive: true })
  })
  if (definitions.kind === 'missing') return definitions
  return ready({ program: join(built.value, 'kubebox'), pause: join(built.value, 'pause'), gatewayApi: definitions.value })
}

/** The version is what Kubernetes' own build writes into the executable; without it the API server doesn't know its own. */
function buildArgs(version: string): readonly string[] {
  const [major, minor] = version.split('.')
  const values = {
    'k8s.io/component-base/version.gitVersion': `v${version}`,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/client-go/pkg/version.gitVersion': `v${version}`,
  }
  const flags = Object.entries(values).map(([name, value]) => `-X ${name}=${value}`)
  return ['-trimpath', '-buildvcs=false', '-ldflags', ['-s', '-w', ...flags].join(' '), '.', './pause']
}

export async function runGo(args: readonly string[], around: Surroundings = {}): Promise<string> {
  const done = await run('go', args, { ...around, timeoutMs: 1_800_000 })
  if (done.code === 0) return done.stdout
  throw new Error(`go ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stderr.slice(-2000)}`)
}

function wordAfter(text: string, start: string): string {
  const line = text.split('\n').find((line) => line.startsWith(start))
  if (line === undefined) throw new Error(`go.mod has no line that begins with '${start}'`)
  return line.slice(start.length).trim()
}

function isAtLeast(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0
}
