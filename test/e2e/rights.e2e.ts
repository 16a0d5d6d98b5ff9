import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { temporaryDirectory } from './gateway.ts'
import { checkout } from './setup/cache.ts'
import { startCluster } from './setup/cluster.ts'
import { kubebox } from './setup/kubebox.ts'
import type { Kubectl } from './setup/kubectl.ts'
import { need } from './setup/part.ts'
import { until } from './setup/wait.ts'

/** In `served` a RoleBinding lets the controller make what Gateways need; in `other` nothing does. */
const [served, other, own] = ['served', 'other', 'mcplex-system']

/** A verb, a resource with its group and what is below it, and a name where one is meant; the namespace, or all of them. */
type Row = readonly [what: string, namespace?: string]

const may: readonly Row[] = [
  ['list gatewayclasses.gateway.networking.k8s.io'],
  ['create gatewayclasses.gateway.networking.k8s.io'],
  ['patch gatewayclasses.gateway.networking.k8s.io/status'],
  ['watch gateways.gateway.networking.k8s.io'],
  ['patch gateways.gateway.networking.k8s.io/status', other],
  ['watch httproutes.gateway.networking.k8s.io'],
  ['update httproutes.gateway.networking.k8s.io/status', other],
  ['watch referencegrants.gateway.networking.k8s.io'],
  ['update backends.gateway.kgateway.dev/status', other],
  ['update agentgatewaybackends.agentgateway.dev/status', other],
  ['update agentgatewaypolicies.agentgateway.dev/status', other],
  ['update agents.mcplex.dev/status', other],
  ['watch gatewayparameters.mcplex.dev'],
  ['list namespaces'],
  ['watch services'],
  ['watch endpointslices.discovery.k8s.io'],
  ['create events', other],
  ['create leases.coordination.k8s.io', own],
  ['update leases.coordination.k8s.io mcplex-controller', own],
  ['watch secrets', served],
  ['create secrets', served],
  ['patch secrets', served],
  ['watch configmaps', served],
  ['patch deployments.apps', served],
  ['delete services', served],
  ['create rolebindings.rbac.authorization.k8s.io', served],
  ['delete poddisruptionbudgets.policy', served],
  ['delete horizontalpodautoscalers.autoscaling', served],
]

const mayNot: readonly Row[] = [
  ['list secrets'],
  ['get secrets', other],
  ['get secrets', 'kube-system'],
  ['get secrets', own],
  ['list configmaps'],
  ['list pods'],
  ['get pods', served],
  ['get pods/log', served],
  ['create pods', served],
  ['create pods/exec', served],
  ['list nodes'],
  ['create deployments.apps', other],
  ['patch services', other],
  ['create horizontalpodautoscalers.autoscaling', other],
  ['patch gatewayparameters.mcplex.dev', served],
  ['create clusterroles.rbac.authorization.k8s.io'],
  ['create clusterrolebindings.rbac.authorization.k8s.io'],
  ['escalate roles.rbac.authorization.k8s.io', served],
  ['bind clusterroles.rbac.authorization.k8s.io'],
  ['impersonate users'],
  ['create serviceaccounts/token', served],
  ['update leases.coordination.k8s.io other', own],
  ['create leases.coordination.k8s.io', other],
  ['delete gatewayclasses.gateway.networking.k8s.io'],
  ['patch gateways.gateway.networking.k8s.io', other],
  ['update httproutes.gateway.networking.k8s.io', other],
  ['delete namespaces'],
  ['patch customresourcedefinitions.apiextensions.k8s.io'],
  ['create mutatingwebhookconfigurations.admissionregistration.k8s.io'],
]

test('the controller may do what it must, and nothing beyond', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  await cluster.installGatewayApi()
  await cluster.installOurs()
  for (const namespace of [served, other]) await cluster.must('create', 'namespace', namespace)
  const subject = ['--clusterrole', 'mcplex-provisioner', '--serviceaccount', 'mcplex-system:mcplex']
  await cluster.must('create', 'rolebinding', 'mcplex-provisioner', '-n', served, ...subject)
  const controller = await cluster.kubectlAs(await cluster.serviceAccountToken(own, 'mcplex'))
  const directory = await temporaryDirectory(t)
  const ask = (rows: readonly Row[]) => answers(controller, rows, directory)
  await until('its rights at work', async () => ((await ask([['get secrets', served]])).join() === 'true' ? true : undefined))

  for (const [expected, rows] of [
    ['true', may],
    ['false', mayNot],
  ] as const) {
    const said = await ask(rows)
    for (const [at, row] of rows.entries()) {
      await t.test(`${expected === 'true' ? 'may' : 'may not'} ${row.join(' in ')}`, () => assert.equal(said[at], expected))
    }
  }

  await t.test('its own pods keep within the restricted profile', async () => {
    const { stdout, stderr } = await cluster.run('apply', '-f', join(checkout, 'deploy/controller.yaml'))
    assert.deepEqual({ stdout, stderr }, { stdout: 'deployment.apps/mcplex created\n', stderr: '' })
    const warned = await cluster.run('create', 'deployment', 'loose', '--image=a', '-n', own)
    assert.match(warned.stderr, /would violate PodSecurity "restricted/)
  })

  await t.test('the API server answers 403 to what it may not read', async () => {
    for (const path of [
      '/api/v1/secrets',
      '/api/v1/pods',
      '/api/v1/nodes',
      `/api/v1/namespaces/${other}/secrets/a`,
      '/api/v1/configmaps',
    ]) {
      assert.match((await controller.run('get', '--raw', path)).stderr, /Error from server \(Forbidden\)/, path)
    }
  })

  await t.test('it may give proxies the right to their Secret, and to nothing that it may not do itself', async () => {
    const role = (namespace: string, resource: string) =>
      controller.run('create', 'role', resource, '-n', namespace, '--verb=get,list,watch', `--resource=${resource}`, '--resource-name=a')
    assert.equal((await role(served, 'secrets')).code, 0)
    assert.match((await role(served, 'pods')).stderr, /attempting to grant RBAC permissions not currently held/)
    assert.match((await role(other, 'secrets')).stderr, /Forbidden/)
    const bind = (...clusterRole: readonly string[]) =>
      controller.run('create', 'rolebinding', 'proxy', '-n', served, ...clusterRole, '--serviceaccount=served:proxy')
    assert.match((await bind('--clusterrole=cluster-admin')).stderr, /attempting to grant RBAC permissions not currently held/)
    assert.equal((await bind('--role=secrets')).code, 0)
  })
})

/** What the API server says of each to whoever asks: `true` or `false`. */
async function answers(who: Kubectl, rows: readonly Row[], directory: string): Promise<readonly string[]> {
  const file = join(directory, `${rows.length}.yaml`)
  const reviews = rows.map(([what, namespace]) => {
    const [verb, path = '', name] = what.split(' ')
    const [type = '', subresource] = path.split('/')
    const [resource, ...group] = type.split('.')
    const resourceAttributes = { verb, group: group.join('.'), resource, subresource, name, namespace }
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  })
  await writeFile(file, reviews.map((review) => stringify(review)).join('---\n'))
  return (await who.must('create', '--validate=false', '-f', file, '-o', 'jsonpath={.status.allowed}{"\\n"}')).trim().split('\n')
}
