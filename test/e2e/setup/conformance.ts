import { createHash } from 'node:crypto'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { cacheDirectory, prepared } from './cache.ts'
import { type Child, start } from './child.ts'
import type { Cluster } from './cluster.ts'
import { type ContainerImage, writeLayer } from './container-image.ts'
import { type Kubebox, runGo } from './kubebox.ts'
import { type Part, ready } from './part.ts'
import { until } from './wait.ts'

const sources = join(import.meta.dirname, '../conformance')
const suiteModule = 'sigs.k8s.io/gateway-api/conformance'

/** The Gateway API's conformance tests. */
export interface ConformanceSuite {
  /** The path of the executable: `../conformance/suite_test.go`. */
  readonly program: string
  /** What its pods run: the suite's own server, which tells what it was asked; nothing in place of others, which no test here asks. */
  readonly images: readonly ContainerImage[]
}

/** The suite built from its Go modules: a minute or two the first time. */
export async function conformanceSuite({ pause }: Kubebox): Promise<Part<ConformanceSuite>> {
  const files = await Promise.all((await readdir(sources)).sort().map((name) => readFile(join(sources, name), 'utf8')))
  const around = { cwd: sources, env: { CGO_ENABLED: '0' } }
  const compiler = (await runGo(['env', 'GOVERSION'], around)).trim()
  const digest = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 8)
  const made = await prepared(`gateway-conformance-${compiler}-${digest}`, async (directory) => {
    const flags = ['-trimpath', '-ldflags', '-s -w', '-o']
    await runGo(['test', '-c', '-vet=off', ...flags, join(directory, 'suite'), '.'], around)
    await runGo(['build', ...flags, join(directory, 'echo'), `${suiteModule}/echo-basic`], around)
    const module = await runGo(['list', '-m', '-f', '{{.Dir}}', suiteModule], around)
    await cp(join(module.trim(), 'base/manifests.yaml'), join(directory, 'base.yaml'))
    await writeLayer(join(directory, 'echo.tar'), ({ copy }) => copy(join(directory, 'echo'), '/run'))
    await writeLayer(join(directory, 'idle.tar'), ({ copy }) => copy(pause, '/run'))
  })
  if (made.kind === 'missing') return made
  const base = await readFile(join(made.value, 'base.yaml'), 'utf8')
  const names = new Set([...base.matchAll(/^ +(?:- )?image: (\S+)$/gm)].map(([, name = '']) => name))
  const images = [...names].map((name): ContainerImage => {
    const layer = name.includes('/echo-basic:') ? 'echo.tar' : 'idle.tar'
    return { name, layers: [join(made.value, layer)], entrypoint: ['/run'] }
  })
  return ready({ program: join(made.value, 'suite'), images })
}

export interface ConformanceRun {
  /** The suite's own report, in YAML. */
  readonly report: string
  /** By name. */
  readonly results: ReadonlyMap<string, 'passes' | 'fails' | 'skipped'>
  /** What a test has written, its parts too. */
  wordsOf(test: string): string
}

export interface ConformanceSettings {
  readonly cluster: Cluster
  readonly gatewayClass: string
  readonly profiles: readonly string[]
  /** Besides those that a profile asks for. */
  readonly features: readonly string[]
  /** Tests that are expected to fail. */
  readonly failing: readonly string[]
  /** Gateways of the suite's base, by `ns/name`, that are not expected to be served: it would begin no test before they are. */
  readonly unserved: readonly string[]
}

/** Runs it to its end; all that it says is in `.cache/conformance.txt` too. */
export async function runConformance(
  t: TestContext,
  { program }: ConformanceSuite,
  settings: ConformanceSettings,
): Promise<ConformanceRun> {
  const { cluster, gatewayClass, profiles, features, failing, unserved } = settings
  const file = join(await temporaryDirectory(t), 'report.yaml')
  const args = {
    'test.timeout': '12m',
    'gateway-class': gatewayClass,
    'conformance-profiles': profiles.join(),
    'supported-features': features.join(),
    failing: failing.join(),
    'cleanup-base-resources': 'false',
    'report-output': file,
    organization: 'mcplex',
    project: 'mcplex',
    url: 'mcplex.dev',
    version: '0',
    contact: 'SECURITY.md',
  }
  const env = { KUBECONFIG: cluster.kubeconfig }
  const suite = start(t, program, ['-test.v', ...Object.entries(args).map(([name, value]) => `-${name}=${value}`)], { env })
  for (const gateway of unserved) await leaveOut(gateway, cluster, suite)
  const { stdout, stderr } = await suite.finished
  await writeFile(join(cacheDirectory, 'conformance.txt'), stdout + stderr)
  const report = await readFile(file, 'utf8').catch(() => {
    throw new Error(`the suite has made no report:\n${`${stdout}${stderr}`.slice(-4000)}`)
  })
  const results = [...stdout.matchAll(/^ {4}--- (PASS|FAIL|SKIP): TestConformance\/(\w+) /gm)].map(
    ([, word = '', test = '']) => [test, verbs[word]] as const,
  )
  return {
    report,
    results: new Map(results.flatMap(([test, verb]) => (verb === undefined ? [] : [[test, verb]]))),
    wordsOf(test) {
      const sections = stdout.split(/^(?==== \w+ )/m)
      return sections.filter((section) => /^=== \w+ +TestConformance\/(\w+)/.exec(section)?.[1] === test).join('')
    },
  }
}

const verbs: Readonly<Record<string, 'passes' | 'fails' | 'skipped'>> = { PASS: 'passes', FAIL: 'fails', SKIP: 'skipped' }

/** By the annotation that the suite's own manifests have for it, as soon as the suite has made the Gateway. */
async function leaveOut(gateway: string, cluster: Cluster, suite: Child): Promise<void> {
  const [namespace = '', name = ''] = gateway.split('/')
  const isDone = async () => {
    if (!suite.isRunning) return true
    const done = await cluster.run('annotate', 'gateway', name, '-n', namespace, 'gateway-api/skip-this-for-readiness=true')
    return done.code === 0 ? true : undefined
  }
  await until(`Gateway ${gateway} of the suite`, isDone, { timeoutMs: 60_000, everyMs: 200 })
}
