import assert from 'node:assert/strict'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import type { Cluster } from '../setup/cluster.ts'
import { helmOf } from '../setup/helm.ts'
import type { ApiObject } from '../setup/kubectl.ts'
import { byTitle, chart, containerOf, definitions, deploy, objectsIn, objectsOf, own, type Packed } from './charts.ts'

const kgateway = 'backends.gateway.kgateway.dev'
const agentgateway = 'agentgatewaybackends.agentgateway.dev'
const ours = 'agents.mcplex.dev'

/** As the chart of another project has brought it: less than ours knows. */
const foreign = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: kgateway,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': 'kgateway-crds', 'meta.helm.sh/release-namespace': 'kgateway-system' },
  },
  spec: {
    group: 'gateway.kgateway.dev',
    names: { kind: 'Backend', listKind: 'BackendList', plural: 'backends', singular: 'backend' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

/** The chart of definitions, and the base for kustomize, on a cluster where another project has installed one of them. */
export async function leavesWhatIsForeign(t: TestContext, cluster: Cluster, program: string): Promise<void> {
  const directory = await temporaryDirectory(t)
  const helm = helmOf(program, { kubeconfig: cluster.kubeconfig, directory })
  const install = (from: string, ...args: readonly string[]) => helm.run('install', 'mcplex-crds', from, '--namespace', own, ...args)
  const upgrade = (from: string) => helm.run('upgrade', 'mcplex-crds', from, '--namespace', own)
  const crd = async (name: string): Promise<ApiObject> => {
    const found = await cluster.get('crd', name)
    assert.ok(found !== undefined, name)
    return found
  }
  const ownerOf = async (name: string) => (await crd(name)).metadata.annotations?.['meta.helm.sh/release-name']
  const revisionOf = async (name: string) => (await crd(name)).metadata.labels?.['revision']
  await cluster.apply(JSON.stringify(foreign))
  await cluster.must('wait', '--for=condition=Established', 'crd', kgateway, '--timeout=30s')
  const before = await crd(kgateway)
  const isUntouched = async () => assert.deepEqual(await crd(kgateway), before)

  await t.test('helm install brings the others, and says what it has left as it is', async () => {
    const { code, stdout, stderr } = await install(chart('mcplex-crds'), '--create-namespace')
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`left as they are: ${kgateway}\\.$`, 'm'))
    assert.match(stdout, /The cluster has no Gateway API yet/)
    await isUntouched()
    for (const { metadata } of await definitions()) {
      const { annotations = {} } = (await crd(metadata.name)).metadata
      const [owner, policy] = metadata.name === kgateway ? ['kgateway-crds', undefined] : ['mcplex-crds', 'keep']
      assert.deepEqual([annotations['meta.helm.sh/release-name'], annotations['helm.sh/resource-policy']], [owner, policy], metadata.name)
    }
  })

  const revised = (revision: string) => revisedChart(directory, revision)
  await t.test('helm upgrade renews what it has brought', async () => {
    assert.equal((await upgrade(await revised('two'))).code, 0)
    assert.deepEqual([await revisionOf(agentgateway), await revisionOf(ours)], ['two', 'two'])
    await isUntouched()
  })

  await t.test('what another release has taken over stays as it is from then on', async () => {
    await cluster.must('annotate', 'crd', agentgateway, '--overwrite', 'meta.helm.sh/release-name=agentgateway-crds')
    assert.equal((await upgrade(await revised('three'))).code, 0)
    assert.deepEqual([await revisionOf(agentgateway), await revisionOf(ours)], ['two', 'three'])
  })

  await t.test('what others have put in the place of one of ours is not deleted', async () => {
    const policies = 'agentgatewaypolicies.agentgateway.dev'
    const { metadata, status: _, ...rest } = await crd(policies)
    await cluster.must('delete', 'crd', policies)
    await cluster.apply(JSON.stringify({ ...rest, metadata: { name: metadata.name } }))
    const { code, stderr } = await upgrade(await revised('four'))
    assert.equal(code, 1)
    const [command = ''] = /kubectl annotate .*keep/.exec(stderr) ?? []
    await cluster.must(...command.split(' ').slice(1))
    assert.equal((await upgrade(await revised('four'))).code, 0)
    assert.deepEqual([await revisionOf(policies), await revisionOf(ours)], [undefined, 'four'])
  })

  await t.test('helm uninstall leaves all of them, with their objects', async () => {
    const agent = { apiVersion: 'mcplex.dev/v1alpha1', kind: 'Agent', metadata: { name: 'a', namespace: 'default' } }
    await cluster.apply(JSON.stringify({ ...agent, spec: { backendRefs: [{ name: 'b' }], tools: ['*'] } }))
    await helm.must('uninstall', 'mcplex-crds', '--namespace', own)
    for (const { metadata } of await definitions()) await crd(metadata.name)
    await isUntouched()
    assert.ok((await cluster.get('agents.mcplex.dev', 'a', 'default')) !== undefined)
  })

  await t.test('a release of the same name goes on with what it has left', async () => {
    assert.equal((await install(await revised('five'))).code, 0)
    assert.deepEqual([await revisionOf(agentgateway), await revisionOf(ours)], ['two', 'five'])
    await helm.must('uninstall', 'mcplex-crds', '--namespace', own)
  })

  await t.test('a release of another name takes over ours when it is told to, and nothing else', async () => {
    const other = (...args: readonly string[]) => helm.run('install', 'other', chart('mcplex-crds'), '--namespace', own, ...args)
    assert.match((await other()).stderr, /invalid ownership metadata/)
    assert.equal((await other('--take-ownership')).code, 0)
    assert.deepEqual(
      [await ownerOf(ours), await ownerOf(agentgateway), await ownerOf(kgateway)],
      ['other', 'agentgateway-crds', 'kgateway-crds'],
    )
    await isUntouched()
    await helm.must('uninstall', 'other', '--namespace', own)
  })

  await t.test('the base for kustomize holds what is in the files, but for the definitions of others', async () => {
    const files = await objectsIn('rbac.yaml', 'controller.yaml', 'budget.yaml')
    const crds = (await definitions()).filter(isOurs)
    assert.deepEqual(byTitle(objectsOf(await cluster.must('kustomize', deploy))), byTitle([...crds, ...files]))
  })

  await t.test('kubectl create and kubectl apply -k bring all, and leave what is foreign', async () => {
    for (const { metadata } of await definitions()) if (metadata.name !== kgateway) await cluster.must('delete', 'crd', metadata.name)
    const created = await cluster.run('create', '-f', join(deploy, 'crds'))
    assert.match(created.stderr, new RegExp(`^Error from server \\(AlreadyExists\\): .*"${kgateway}" already exists$`, 'm'))
    assert.equal(created.stderr.trim().split('\n').length, 1, created.stderr)
    for (const _ of ['first', 'again']) await cluster.must('apply', '-k', deploy)
    for (const { metadata } of await definitions()) await crd(metadata.name)
    assert.ok((await cluster.get('poddisruptionbudget', 'mcplex', own)) !== undefined)
    await isUntouched()
  })

  await t.test('the overlay of the page puts the image where it must be', async () => {
    const page = await readFile(join(deploy, 'README.md'), 'utf8')
    const [, overlay = ''] = /^```yaml\n(resources:[\s\S]*?)^```$/m.exec(page) ?? []
    await cp(deploy, join(directory, 'deploy'), { recursive: true })
    const folder = join(directory, 'overlay')
    await cp(join(deploy, 'post'), folder, { recursive: true })
    await writeFile(join(folder, 'kustomization.yaml'), overlay)
    const made = byTitle(objectsOf(await cluster.must('kustomize', folder)))
    const { image, args } = containerOf(made[`Deployment ${own} mcplex`])
    assert.deepEqual([image, args[4]], ['registry.example/mcplex:0.1.0', 'registry.example/mcplex:0.1.0'])
  })
}

function isOurs({ spec }: Packed): boolean {
  return (spec as { readonly group: string }).group === 'mcplex.dev'
}

/** The chart of a later version, of which each definition has a label. */
async function revisedChart(directory: string, revision: string): Promise<string> {
  const copy = join(directory, revision)
  await cp(chart('mcplex-crds'), copy, { recursive: true })
  for (const name of await readdir(join(copy, 'definitions'))) {
    const file = join(copy, 'definitions', name)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/^( +)app\.kubernetes\.io\/name: mcplex$/m, `$&\n$1revision: ${revision}`))
  }
  return copy
}
