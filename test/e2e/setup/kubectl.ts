import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finished, run } from './child.ts'

/** An object as the API server gives it. */
export interface ApiObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly resourceVersion: string
    readonly generation?: number
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[]
  }
  readonly [member: string]: unknown
}

/** kubectl as one user. All but `run` throw with what kubectl wrote where it fails. */
export interface Kubectl {
  /** To its end, whatever that is. */
  run(...args: readonly string[]): Promise<Finished>
  /** Its stdout. */
  must(...args: readonly string[]): Promise<string>
  /** `kubectl apply` of a text in YAML or JSON. */
  apply(text: string): Promise<string>
  /** `kubectl apply` of files or directories as they are. */
  applyFiles(...paths: readonly string[]): Promise<string>
  /** The object, or undefined where there is none of that name. The kind is written as `kubectl get` takes it. */
  get(kind: string, name: string, namespace?: string): Promise<ApiObject | undefined>
  /** Those of one namespace, or of all. */
  list(kind: string, namespace?: string): Promise<readonly ApiObject[]>
}

/** The executable's kubectl with that kubeconfig; what it caches goes into `directory`. */
export function kubectlOf(program: string, kubeconfig: string, directory: string): Kubectl {
  const env = { KUBECONFIG: kubeconfig, HOME: directory }
  const kubectl: Kubectl = {
    run: (...args) => run(program, ['kubectl', ...args], { env, timeoutMs: 60_000 }),
    async must(...args) {
      const done = await kubectl.run(...args)
      if (done.code === 0) return done.stdout
      throw new Error(`kubectl ${args.join(' ')}: ${done.code ?? done.signal}\n${done.stdout}${done.stderr}`)
    },
    async apply(text) {
      const file = join(directory, `${randomUUID()}.yaml`)
      await writeFile(file, text)
      return kubectl.applyFiles(file)
    },
    applyFiles: (...paths) => kubectl.must('apply', ...paths.flatMap((path) => ['-f', path])),
    async get(kind, name, namespace) {
      const text = await kubectl.must('get', kind, name, '-o', 'json', '--ignore-not-found', ...(namespace ? ['-n', namespace] : []))
      return text === '' ? undefined : JSON.parse(text)
    },
    async list(kind, namespace) {
      const text = await kubectl.must('get', kind, '-o', 'json', ...(namespace ? ['-n', namespace] : ['-A']))
      return JSON.parse(text).items
    },
  }
  return kubectl
}
