import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import packageJson from '../../../package.json' with { type: 'json' }
import { leaseNameFor } from '../../../src/kubernetes/controller/rights.ts'
import { defaultSettings } from '../../../src/kubernetes/kubernetes.ts'
import { runMcplex, temporaryDirectory } from '../gateway.ts'
import { helmOf } from '../setup/helm.ts'
import { byTitle, chart, containerOf, definitions, objectsIn, own, type Packed, type PodTemplate, rendered } from './charts.ts'

/** What values do, as far as no cluster is asked. */
export async function rendersWhatItShould(t: TestContext, program: string): Promise<void> {
  const directory = await temporaryDirectory(t)
  const helm = helmOf(program, { directory })
  const usual = await rendered(helm, 'mcplex')

  await t.test('the charts pass helm lint --strict', async () => {
    await helm.must('lint', '--strict', chart('mcplex'), chart('mcplex-crds'))
  })

  await t.test('the chart of definitions brings those of deploy/crds, to be kept', async () => {
    const crds = async (...args: readonly string[]) =>
      (await rendered(helm, 'mcplex-crds', ...args)).filter(({ kind }) => kind === 'CustomResourceDefinition')
    const kept = (object: Packed) => ({ ...object, metadata: { ...object.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } })
    assert.deepEqual(byTitle(await crds()), byTitle((await definitions()).map(kept)))
    const groups = async (...args: readonly string[]) => {
      return new Set((await crds(...args)).map(({ spec }) => (spec as { readonly group: string }).group))
    }
    assert.deepEqual(await groups('--set', 'kgateway=false'), new Set(['agentgateway.dev', 'mcplex.dev']))
    assert.deepEqual(await groups('--set', 'agentgateway=false'), new Set(['gateway.kgateway.dev', 'mcplex.dev']))
  })

  await t.test('by default the controller is that of deploy/, with the same rights', async () => {
    const files = (await objectsIn('rbac.yaml', 'controller.yaml', 'budget.yaml')).filter(({ kind }) => kind !== 'Namespace')
    assert.deepEqual(byTitle(usual.map(asInFiles)), byTitle(files))
    for (const { metadata } of usual) assert.equal(metadata.labels?.['app.kubernetes.io/version'], packageJson.version)
  })

  await t.test('its options are those that hold anyway, and mcplex takes them', async () => {
    const { controllerName, classes, image, clusterDomain } = defaultSettings(packageJson.version)
    const { args } = containerOf(usual.find(({ kind }) => kind === 'Deployment'))
    assert.deepEqual(args.slice(5), [
      ...['--controller-name', controllerName, '--class', ...classes],
      ...['--cluster-domain', clusterDomain, '--log-level', 'info'],
    ])
    assert.equal(args[4], image)
    await isTaken(args, directory)
  })

  await t.test('every value goes where it should', async () => {
    const file = join(directory, 'values.json')
    await writeFile(file, JSON.stringify(full))
    const objects = byTitle(await rendered(helm, 'mcplex', '--values', file))
    const { spec } = objects[`Deployment ${own} mcplex`] as unknown as Deployment
    const { metadata, spec: pod } = spec.template
    assert.equal(spec.replicas, 3)
    assert.deepEqual(metadata, {
      labels: { team: 'tools', 'app.kubernetes.io/name': 'mcplex', 'app.kubernetes.io/component': 'controller' },
      annotations: full.podAnnotations,
    })
    assert.deepEqual(
      [pod.nodeSelector, pod.tolerations, pod.imagePullSecrets, pod.serviceAccountName],
      [full.nodeSelector, full.tolerations, full.imagePullSecrets, 'gatekeeper'],
    )
    const { image, imagePullPolicy, resources, args } = containerOf(objects[`Deployment ${own} mcplex`])
    assert.deepEqual([image, imagePullPolicy], [`registry.example:5000/tools/mcplex@${full.image.digest}`, 'Always'])
    assert.deepEqual(resources, full.resources)
    assert.deepEqual(args, [
      ...['controller', '--listen', '0.0.0.0:8081', '--image', 'registry.example/proxy:1'],
      ...['--image-pull-secret', 'pull', 'pull-more', '--controller-name', 'example.com/Tools_1'],
      ...['--class', 'tools', 'more-tools', '--cluster-domain', 'cluster.example', '--log-level', 'debug'],
    ])
    await isTaken(args, directory)

    const subjects = [{ kind: 'ServiceAccount', name: 'gatekeeper', namespace: own }]
    const bindings = Object.values(objects).filter(({ kind }) => kind.endsWith('Binding'))
    assert.deepEqual(
      bindings.map(({ metadata, roleRef, ...rest }) => [metadata.namespace, (roleRef as { name: string }).name, rest['subjects']]),
      [
        [undefined, 'mcplex-controller', subjects],
        [undefined, 'mcplex-provisioner', subjects],
        ['a', 'mcplex-provisioner', subjects],
        ['b', 'mcplex-provisioner', subjects],
        [own, 'mcplex-lead', subjects],
      ],
    )
    assert.deepEqual(objects[`ServiceAccount ${own} gatekeeper`]?.metadata.annotations, full.serviceAccount.annotations)
  })

  await t.test('the lease that it may take is the one that it takes', async () => {
    for (const name of ['mcplex.dev/controller', 'example.com/Tools_1', `x.dev/${'y'.repeat(100)}`, '-.dev/~', 'a.b/c-/d']) {
      // the schema refuses some of them: the name of the lease holds for all
      const objects = byTitle(await rendered(helm, 'mcplex', '--skip-schema-validation', '--set', `controllerName=${name}`))
      const rules = objects[`Role ${own} mcplex-lead`]?.['rules'] as readonly { readonly resourceNames?: readonly string[] }[]
      assert.deepEqual(
        rules.flatMap(({ resourceNames = [] }) => resourceNames),
        [leaseNameFor(name)],
      )
    }
  })

  await t.test('names that YAML would read as numbers or booleans stay names', async () => {
    const sets = ['--set-json', 'provision.namespaces=["1234","true","1e3"]', '--set-string', 'serviceAccount.name=123']
    const objects = await rendered(helm, 'mcplex', ...sets)
    const bound = objects.filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.name === 'mcplex-provisioner')
    assert.deepEqual(
      bound.map(({ metadata }) => metadata.namespace),
      ['1234', 'true', '1e3'],
    )
    for (const { subjects } of bound) assert.deepEqual(subjects, [{ kind: 'ServiceAccount', name: '123', namespace: own }])
    assert.ok(objects.some(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === '123'))
  })

  await t.test("what is said of the image of Gateways' pods counts, and the rest is the controller's", async () => {
    const digest = `sha256:${'b'.repeat(64)}`
    const rows = [
      [['image.repository=a/b', 'image.tag=1'], 'a/b:1'],
      [['image.repository=a/b', 'image.tag=1', 'proxy.image.tag=2'], 'a/b:2'],
      [['image.repository=a/b', 'image.tag=1', `proxy.image.digest=${digest}`], `a/b@${digest}`],
      [['image.repository=a/b', 'image.tag=1', 'proxy.image.repository=c/d'], `c/d:${packageJson.version}`],
    ] as const
    for (const [values, image] of rows) {
      const objects = await rendered(helm, 'mcplex', ...values.flatMap((value) => ['--set-string', value]))
      assert.equal(containerOf(objects.find(({ kind }) => kind === 'Deployment')).args[4], image)
    }
  })

  for (const [value, message] of refused) {
    await t.test(`${value} is refused`, async () => {
      const { code, stderr } = await helm.run('template', 'mcplex', chart('mcplex'), '--set', value)
      assert.equal(code, 1)
      assert.match(stderr, message)
    })
  }

  await t.test('a value of the chart of definitions that it does not know is refused', async () => {
    const { stderr } = await helm.run('template', 'mcplex-crds', chart('mcplex-crds'), '--set', 'agentGateway=false')
    assert.match(stderr, /additional properties 'agentGateway' not allowed/)
  })
}

const full = {
  image: { repository: 'registry.example:5000/tools/mcplex', tag: 'unused', digest: `sha256:${'a'.repeat(64)}`, pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'pull' }, { name: 'pull-more' }],
  proxy: { image: { repository: 'registry.example/proxy', tag: '1' } },
  provision: { namespaces: ['a', 'b'], everywhere: true },
  controllerName: 'example.com/Tools_1',
  classes: ['tools', 'more-tools'],
  clusterDomain: 'cluster.example',
  logLevel: 'debug',
  replicas: 3,
  resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { memory: '2Gi' } },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'tools', operator: 'Exists', effect: 'NoSchedule' }],
  podLabels: { team: 'tools', 'app.kubernetes.io/component': 'mine' },
  podAnnotations: { 'example.com/scrape': 'true' },
  serviceAccount: { name: 'gatekeeper', annotations: { 'example.com/role': 'a' } },
}

const refused: readonly (readonly [value: string, message: RegExp])[] = [
  ['logLevel=loud', /at '\/logLevel': value must be one of 'debug', 'info', 'warn', 'error'/],
  ['loglevel=info', /additional properties 'loglevel' not allowed/],
  ['replicas=two', /at '\/replicas': got string, want integer/],
  ['replicas=-1', /at '\/replicas': minimum: got -1, want 0/],
  ['image.repository=', /at '\/image\/repository'/],
  ['image.repository=registry.example/mcplex:1', /at '\/image\/repository'/],
  ['image.digest=sha256:1', /at '\/image\/digest': 'sha256:1' does not match pattern/],
  ['image.pullPolicy=Sometimes', /at '\/image\/pullPolicy': value must be one of/],
  ['image=mcplex:1', /at '\/image': got string, want object/],
  ['imagePullSecrets={pull}', /at '\/imagePullSecrets\/0': got string, want object/],
  ['proxy.image.repository=Upper', /at '\/proxy\/image\/repository'/],
  ['provision.namespaces=kgateway-system', /at '\/provision\/namespaces': got string, want array/],
  ['provision.namespaces={A_b}', /at '\/provision\/namespaces\/0': 'A_b' does not match pattern/],
  ['provision.everywhere=perhaps', /at '\/provision\/everywhere': got string, want boolean/],
  ['controllerName=mcplex', /at '\/controllerName': 'mcplex' does not match pattern/],
  ['classes=mcplex', /at '\/classes': got string, want array/],
  ['clusterDomain=cluster..local', /at '\/clusterDomain'/],
  ['classes=null', /missing property 'classes'/],
  ['logLevel=null', /missing property 'logLevel'/],
  ['podLabels=null', /missing property 'podLabels'/],
  ['serviceAccount.name=null', /at '\/serviceAccount': missing property 'name'/],
  ['resources.limit.memory=1Gi', /at '\/resources': additional properties 'limit' not allowed/],
  ['tolerations={all}', /at '\/tolerations\/0': got string, want object/],
  ['podLabels.a=1', /at '\/podLabels\/a': got number, want string/],
  ['serviceAccount.name=A', /at '\/serviceAccount\/name'/],
]

interface Deployment {
  readonly spec: { readonly replicas: number; readonly template: PodTemplate }
}

/** Without what Helm adds and what the files leave to defaults. */
function asInFiles(object: Packed): Packed {
  const { 'app.kubernetes.io/name': name = '', 'app.kubernetes.io/component': component } = object.metadata.labels ?? {}
  const labels = { 'app.kubernetes.io/name': name, ...(component === undefined ? {} : { 'app.kubernetes.io/component': component }) }
  const own = { ...object, metadata: { ...object.metadata, labels } }
  if (object.kind !== 'Deployment') return own
  const { spec } = object as unknown as Deployment
  const { containers, ...pod } = spec.template.spec
  const plain = containers.map(({ imagePullPolicy: _, ...container }) => ({ ...container, args: container.args.slice(0, 5) }))
  return { ...own, spec: { ...spec, template: { ...spec.template, spec: { ...pod, containers: plain } } } }
}

/** That mcplex understands its arguments, and only misses a cluster. */
async function isTaken(args: readonly string[], directory: string): Promise<void> {
  const { code, stderr } = await runMcplex(args, { env: { HOME: directory, KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' } })
  assert.match(stderr, /no Kubernetes cluster/)
  assert.equal(code, 78)
}
