import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Document, isMap, isScalar, parseAllDocuments, visit } from 'yaml'
import { parsePlain } from '../../config/config.ts'
import {
  type DesiredStatus,
  isRaw,
  type KubeObject,
  listAt,
  nameKey,
  type Observations,
  type ProxyReport,
  type Raw,
  rawAt,
  refKey,
  refOf,
  type Settings,
  textAt,
  textsOf,
  valueAt,
} from '../objects/objects.ts'
import type { GatewayPlan } from '../provision/provision.ts'
import { type Translation, translate } from './translate.ts'

/**
 * `golden/ROOM/NAME.in.yaml` holds objects, `NAME.out.yaml` all that follows from them; `UPDATE_GOLDEN=1` writes the latter. Beside objects
 * an input may hold `kind: Settings` and `kind: Observed` (`provisioning`: texts by Gateway, `forbidden`: a list of keys, `account`: who
 * the controller is, `proxies`: what they report by Gateway, where the digest `newest` is that of its document, `settling`: a list of Gateways). What is provisioned is
 * written whole where the name begins with `provision-`, and for the post.
 */
const folder = join(import.meta.dirname, 'golden')
const isUpdating = process.env['UPDATE_GOLDEN'] === '1'
const seeds = [1, 2, 3, 4, 5]

const settings: Settings = {
  controllerName: 'mcplex.dev/controller',
  classes: ['mcplex', 'agentgateway'],
  version: '1.2.3',
  image: 'mcplex/mcplex:1.2.3',
  imagePullSecrets: [],
  clusterDomain: 'cluster.local',
}

interface Given {
  readonly objects: readonly unknown[]
  readonly settings: Settings
  readonly observed: Observations
}

for (const path of globSync(join(folder, '**/*.in.yaml')).sort()) {
  const name = basename(path, '.in.yaml')
  test(name, () => {
    const given = frozen(read(path))
    const translation = translate(given.objects, given.settings, given.observed)
    for (const plan of translation.gateways) checkPlan(plan)
    for (const seed of seeds) {
      const again = translate(shuffled(given.objects, seed), given.settings, given.observed)
      assert.deepEqual(again, translation, `in another order (seed ${seed})`)
    }
    const written = given.objects.map((object) => withStatus(object, translation.statuses, given.settings))
    assert.deepEqual(
      withoutObjects(translate(written, given.settings, given.observed)),
      withoutObjects(translation),
      'with its own statuses',
    )

    const out = path.replace(/\.in\.yaml$/, '.out.yaml')
    const text = print(name, translation)
    if (isUpdating) writeFileSync(out, text)
    assert.equal(text, existsSync(out) ? readFileSync(out, 'utf8') : '', 'run with UPDATE_GOLDEN=1, and look at the difference')
  })
}

test('every output has an input', () => {
  for (const path of globSync(join(folder, '**/*.out.yaml'))) assert.ok(existsSync(path.replace(/\.out\.yaml$/, '.in.yaml')), path)
})

test('the post is the seed, byte for byte', () => {
  const seed = ['gateway', 'backend', 'httproute', 'math-server', 'date-server'].map((name) =>
    readFileSync(join(import.meta.dirname, '../../../test/seed', `${name}.yaml`), 'utf8'),
  )
  assert.equal(readFileSync(join(folder, 'the-post.in.yaml'), 'utf8'), seed.join('---\n'))
})

function read(path: string): Given {
  const values = parseAllDocuments(readFileSync(path, 'utf8')).map((document): unknown => document.toJS())
  const setting = values.find((value) => textAt(value, 'kind') === 'Settings')
  const observed = values.find((value) => textAt(value, 'kind') === 'Observed')
  const objects = values.filter((value) => value !== null && value !== setting && value !== observed)
  const given = isRaw(setting) ? { ...settings, ...setting } : settings
  const proxies = valueAt(observed, 'proxies')
  return {
    objects,
    settings: given,
    observed: {
      provisioning: new Map(Object.entries(textsOf(isRaw(observed) ? observed['provisioning'] : undefined))),
      forbidden: new Set(listAt(observed, 'forbidden').filter((key) => typeof key === 'string')),
      account: textAt(observed, 'account'),
      ...(proxies === undefined ? {} : { proxies: reportsIn(proxies, translate(objects, given).gateways) }),
      settling: new Set(listAt(observed, 'settling').filter((key) => typeof key === 'string')),
    },
  }
}

function reportsIn(proxies: unknown, plans: readonly GatewayPlan[]): ReadonlyMap<string, readonly ProxyReport[]> {
  const reports = Object.keys(rawAt(proxies)).map((key) => {
    const digest = plans.find((plan) => nameKey(plan) === key)?.digest ?? ''
    const newest = (value: unknown): Raw => ({ ...rawAt(value), ...(textAt(value, 'digest') === 'newest' ? { digest } : {}) })
    const list = listAt(proxies, key).map((report) => {
      const refused = valueAt(report, 'refused')
      return { servers: [], agents: [], ...newest(report), ...(refused === undefined ? {} : { refused: newest(refused) }) }
    })
    return [key, list] as const
  })
  return new Map(reports) as unknown as ReadonlyMap<string, readonly ProxyReport[]>
}

/** What holds of every plan, whatever it says. */
function checkPlan({ document, objects }: GatewayPlan): void {
  if (document === undefined) return
  const { problems } = parsePlain(document, { origin: 'kubernetes', env: {}, readFile: () => '' })
  assert.deepEqual(
    problems.filter((problem) => problem.severity === 'error'),
    [],
  )
  assert.deepEqual(documentIn(objects.find((object) => object.kind === 'Secret')), document)
}

function documentIn(secret: KubeObject | undefined): unknown {
  const plain = textAt(secret, 'data', 'config.json')
  const packed = Buffer.from(textAt(secret, 'data', 'config.json.gz') ?? '', 'base64')
  return JSON.parse(plain === undefined ? gunzipSync(packed).toString() : Buffer.from(plain, 'base64').toString())
}

function print(name: string, { gateways, statuses, classes, wanted, abandoned }: Translation): string {
  const isWhole = name.startsWith('provision-') || name === 'the-post'
  const titleOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`
  const document = new Document(
    {
      documents: Object.fromEntries(gateways.map((plan) => [nameKey(plan), plan.document ?? '(none)'])),
      statuses: statuses.map((status) => ({
        kind: status.object.kind,
        name: nameKey(refOf(status.object)).replace(/^\//, ''),
        ...(status.kind === 'whole' ? { status: status.status } : { [status.list]: status.entries }),
      })),
      provisioned: Object.fromEntries(
        gateways.map((plan) => [nameKey(plan), plan.objects.map((object) => (isWhole ? withoutDocument(object) : titleOf(object)))]),
      ),
      ...(classes.length === 0 ? {} : { classes: isWhole ? classes : classes.map(titleOf) }),
      ...(wanted.length === 0 ? {} : { wanted: wanted.map(refKey) }),
      ...(abandoned.length === 0 ? {} : { abandoned: abandoned.map(refKey) }),
    },
    { aliasDuplicateObjects: false },
  )
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== 'conditions' || value === null || typeof value !== 'object' || !('items' in value)) return
      for (const item of value.items as unknown[]) if (isMap(item)) item.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}

function withoutDocument(object: KubeObject): unknown {
  if (object.kind !== 'Secret') return object
  const data = Object.keys(isRaw(object['data']) ? object['data'] : {}).map((key) => [key, '(the document)'])
  return { ...object, data: Object.fromEntries(data) }
}

/** The object as it is when its status has been written. */
function withStatus(value: unknown, statuses: readonly DesiredStatus[], { controllerName }: Settings): unknown {
  const desired = statuses.find(({ object }) => isRaw(value) && isSame(value, object))
  if (!isRaw(value) || desired === undefined) return value
  const before = isRaw(value['status']) ? value['status'] : {}
  if (desired.kind === 'whole') return { ...value, status: { ...before, ...desired.status } }
  const others = listAt(before, desired.list).filter((entry) => textAt(entry, 'controllerName') !== controllerName)
  return { ...value, status: { ...before, [desired.list]: [...others, ...desired.entries] } }
}

function isSame(value: Raw, object: KubeObject): boolean {
  return (
    value['apiVersion'] === object.apiVersion &&
    value['kind'] === object.kind &&
    textAt(value, 'metadata', 'name') === object.metadata.name &&
    textAt(value, 'metadata', 'namespace') === object.metadata.namespace
  )
}

/** Each status holds the object itself, which differs where its status was written. Entries that were to go are gone then. */
function withoutObjects({ statuses, ...others }: Translation): unknown {
  const lasting = statuses.filter((status) => status.kind === 'whole' || status.entries.length > 0)
  return { ...others, statuses: lasting.map(({ object, ...status }) => ({ ...status, of: refKey(refOf(object)) })) }
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

/** The same order for the same seed (a linear congruential generator, Fisher and Yates). */
function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  const copy = [...list]
  let state = seed
  for (let last = copy.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const other = Math.floor((state / 2 ** 32) * (last + 1))
    const [one, two] = [copy[last], copy[other]]
    if (one !== undefined) copy[other] = one
    if (two !== undefined) copy[last] = two
  }
  return copy
}
