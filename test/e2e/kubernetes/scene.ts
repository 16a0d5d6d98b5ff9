import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { checkout } from '../setup/cache.ts'
import type { Cluster } from '../setup/cluster.ts'
import type { ClusterReader, ReadKind } from '../setup/cluster-reader.ts'
import type { Controller } from '../setup/controller.ts'
import type { ApiObject } from '../setup/kubectl.ts'
import { until } from '../setup/wait.ts'
import { type PlainDocument, summaryOf } from './summary.ts'

/** A cluster with a controller in it. */
export interface Scene {
  readonly cluster: Cluster
  readonly read: ClusterReader
  readonly controller: Controller
}

export const controllerName = 'mcplex.dev/controller'

/** Where the post's objects are, but for the Services of its servers. */
export const home = 'kgateway-system'

/** Of another controller, though it has a name that ours makes where it is absent. */
export const foreignClass = 'mcplex'

/** The path of one of the post's files. */
export function postFile(name: string): string {
  return join(checkout, 'test/seed', `${name}.yaml`)
}

/** A condition that an object is to have: its place, `TYPE STATUS REASON` (or `no entry`), and a piece of its message. */
export type Saying = readonly [where: string, condition: string, message?: string]

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
}

interface Entry {
  readonly name?: string
  readonly controllerName?: string
  readonly attachedRoutes?: number
  readonly conditions?: readonly Condition[]
}

export interface Status extends Entry {
  readonly listeners?: readonly Entry[]
  readonly parents?: readonly Entry[]
  readonly ancestors?: readonly Entry[]
  readonly [member: string]: unknown
}

export function statusOf(object: ApiObject | undefined): Status {
  return (object?.['status'] ?? {}) as Status
}

/**
 * Waits until all of that is said of the objects as they now are, and the Gateway's Secret holds what that comes to (`summaryOf`; absent:
 * of no matter; `none`: there is no Secret).
 */
export async function untilSaid(
  { read, controller }: Pick<Scene, 'read' | 'controller'>,
  sayings: readonly Saying[],
  document?: readonly string[] | 'none',
  gateway = `${home}/agentgateway`,
): Promise<void> {
  let missing: readonly string[] = []
  const what = [...sayings.map((saying) => saying.join(' ')), ...(document === undefined ? [] : [`the document of ${gateway}`])].join('; ')
  await until(
    what,
    async () => {
      const unsaid = await Promise.all(sayings.map((saying) => whatElseIsSaid(read, saying)))
      missing = [...unsaid, await otherDocument(read, document, gateway)].flat()
      return missing.length === 0 ? true : undefined
    },
    { explain: () => `${missing.join('\n')}\n${controller.log().slice(-2000)}` },
  )
}

async function whatElseIsSaid(read: ClusterReader, [where, condition, message = '']: Saying): Promise<readonly string[]> {
  const [kind = '', key = '', section] = where.split(' ')
  const [name = '', namespace = home] = key.split('/').reverse()
  const object = await read.get(kind as ReadKind, name, kind === 'GatewayClass' ? undefined : namespace)
  if (object === undefined) return [`there is no ${where}`]
  const conditions = conditionsAt(kind, section, statusOf(object))
  if (conditions === undefined) return condition === 'no entry' ? [] : [`${where} has no entry`]
  const isSaid = conditions.some(
    (one) =>
      `${one.type} ${one.status} ${one.reason}` === condition &&
      one.message.includes(message) &&
      one.observedGeneration === object.metadata.generation,
  )
  if (isSaid) return []
  const said = conditions.map((one) => `  ${one.observedGeneration}: ${one.type} ${one.status} ${one.reason} ${one.message}`)
  return [`${where} of generation ${object.metadata.generation} says`, ...said]
}

/** Of an HTTPRoute or policy: in our first entry. */
function conditionsAt(kind: string, section: string | undefined, status: Status): readonly Condition[] | undefined {
  if (section !== undefined) return status.listeners?.find(({ name }) => name === section)?.conditions
  if (kind !== 'HTTPRoute' && kind !== 'AgentgatewayPolicy') return status.conditions ?? []
  return [...(status.parents ?? []), ...(status.ancestors ?? [])].find((entry) => entry.controllerName === controllerName)?.conditions
}

async function otherDocument(
  read: ClusterReader,
  expected: readonly string[] | 'none' | undefined,
  gateway: string,
): Promise<readonly string[]> {
  if (expected === undefined) return []
  const document = await documentOf(read, gateway)
  const found = document === undefined ? 'none' : summaryOf(document, gateway.split('/')[0] ?? '')
  return found.toString() === expected.toString() ? [] : [`the document of ${gateway} is`, ...[found].flat().map((line) => `  ${line}`)]
}

/** What the Gateway's Secret holds for its pods; undefined where there is no such Secret. */
export async function documentOf(read: ClusterReader, gateway: string): Promise<PlainDocument | undefined> {
  const text = await documentText(read, gateway)
  return text === undefined ? undefined : JSON.parse(text)
}

/** The same, byte for byte. */
export async function documentText(read: ClusterReader, gateway: string): Promise<string | undefined> {
  const [namespace = '', name = ''] = gateway.split('/')
  const secret = await read.get('Secret', `${name}-mcplex`, namespace)
  return secret === undefined ? undefined : dataOf(secret)['config.json']
}

/** A Secret's values as texts. */
export function dataOf(secret: ApiObject): Readonly<Record<string, string>> {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

/** The document that the golden case of the post has, for this version. */
export function goldenDocument(version: string): unknown {
  const golden = parse(readFileSync(join(checkout, 'src/kubernetes/translation/golden/the-post.out.yaml'), 'utf8'))
  return { ...golden.documents[`${home}/agentgateway`], 'mcplex.dev/version': version }
}
