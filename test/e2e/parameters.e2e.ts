import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminApi } from './setup/admin-api.ts'
import { startCluster } from './setup/cluster.ts'
import { condition, document } from './setup/cluster-state.ts'
import { letProvision, startController } from './setup/controller.ts'
import { kubebox } from './setup/kubebox.ts'
import type { ApiObject } from './setup/kubectl.ts'
import { need } from './setup/part.ts'
import { until } from './setup/wait.ts'

const [home, name] = ['edge', 'g']
const parametersRef = { group: 'mcplex.dev', kind: 'GatewayParameters', name: 'p' }

interface DeploymentSpec {
  readonly replicas: number
  readonly template: { readonly metadata: object; readonly spec: object }
}

test("a Gateway's parameters on a real API server", async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const cluster = await startCluster(t, box)
  await cluster.installGatewayApi()
  await cluster.installOurs()
  await cluster.must('create', 'namespace', home)
  await cluster.must('label', 'namespace', home, 'pod-security.kubernetes.io/enforce=restricted')
  await letProvision(cluster, home)
  const api = adminApi(t, cluster)

  const write = (kind: string, apiVersion: string, metadata: object, spec: unknown) =>
    cluster.apply(JSON.stringify({ apiVersion, kind, metadata, spec }))
  const say = (spec: unknown) => write('GatewayParameters', 'mcplex.dev/v1alpha1', { name: 'p', namespace: home }, spec)
  const specOf = async (kind: string): Promise<Readonly<Record<string, unknown>>> => {
    const object = await cluster.get(kind, name, home)
    return object?.['spec'] as Readonly<Record<string, unknown>>
  }
  const deployment = async () => (await specOf('deployment')) as unknown as DeploymentSpec
  const says = (kind: string, expected: Readonly<Record<string, unknown>>) =>
    until(`${kind} with ${JSON.stringify(expected)}`, async () => {
      const spec = (await specOf(kind)) ?? {}
      return Object.entries(expected).every(([member, value]) => spec[member] === value) ? true : undefined
    })

  await startController(t, cluster)
  await say({ replicas: 5, service: { loadBalancerClass: 'example.com/internal', externalTrafficPolicy: 'Local' } })
  await write(
    'Gateway',
    'gateway.networking.k8s.io/v1',
    { name, namespace: home },
    {
      gatewayClassName: 'mcplex',
      infrastructure: { parametersRef },
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
    },
  )

  await t.test('say how many pods there are, and how they are reached', async () => {
    await says('deployment', { replicas: 5 })
    await says('service', { type: 'LoadBalancer', loadBalancerClass: 'example.com/internal', externalTrafficPolicy: 'Local' })
  })

  await t.test('a class of load balancers that is changed: what to do is said, and then it is done', async () => {
    await say({ replicas: 5, service: { loadBalancerClass: 'example.com/other' } })
    const { message } = await until('the status', () => condition(api, 'gateways', home, name, 'Programmed', 'NoResources'))
    assert.match(message, /Service edge\/g is refused .*loadBalancerClass.* Delete that Service: mcplex makes it anew/)
    await cluster.must('delete', 'service', name, '-n', home)
    await says('service', { loadBalancerClass: 'example.com/other', externalTrafficPolicy: 'Cluster' })
  })

  await t.test("pods as they ask for them are let in where the standard 'restricted' is enforced", async () => {
    await say({
      replicas: 5,
      resources: { requests: { cpu: '50m' }, limits: { cpu: 1, memory: '256Mi' } },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
    })
    const isTold = async () => (JSON.stringify(await deployment()).includes('dedicated') ? true : undefined)
    await until('the tolerations', isTold)
    const { metadata, spec } = (await deployment()).template
    const pod = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'p', namespace: home }, spec })
    await cluster.apply(pod)
    const account = JSON.stringify({ spec: { serviceAccountName: `${name}-mcplex` } })
    const loose = await cluster.run('run', 'loose', '--image=a', '-n', home, `--overrides=${account}`)
    assert.match(loose.stderr, /violates PodSecurity "restricted/)
  })

  await t.test('an autoscaler takes the number of pods over as it is', async () => {
    const seen = new Set<number>()
    await say({ autoscaling: { minReplicas: 2, maxReplicas: 10 } })
    await until('an autoscaler, and nothing said of the number', async () => {
      const object = await api.get('deployments', home, name)
      seen.add((object['spec'] as DeploymentSpec).replicas)
      return (await specOf('hpa')) !== undefined && !ownersOfReplicas(object).includes('mcplex.dev/controller') ? true : undefined
    })
    assert.deepEqual([...seen], [5])
    await cluster.must('scale', 'deployment', name, '-n', home, '--replicas=7')
    await say({ autoscaling: { minReplicas: 2, maxReplicas: 10 }, logLevel: 'debug' })
    await document(api, home, name, '"level":"debug"')
    assert.equal((await deployment()).replicas, 7)
  })

  await t.test('without autoscaling the autoscaler goes, and the number is theirs again', async () => {
    await say({ replicas: 3, service: { type: 'ClusterIP' } })
    await until('no autoscaler', async () => ((await specOf('hpa')) === undefined ? true : undefined))
    await says('deployment', { replicas: 3 })
    await says('service', { type: 'ClusterIP', loadBalancerClass: undefined, externalTrafficPolicy: undefined })
  })

  await t.test('where they are gone the Gateway says so, and what runs goes on', async () => {
    const before = (await cluster.get('deployment', name, home))?.metadata.resourceVersion
    await cluster.must('delete', 'gatewayparameters', 'p', '-n', home)
    const { message } = await until('the status', () => condition(api, 'gateways', home, name, 'Accepted', 'InvalidParameters'))
    assert.match(message, /there is no GatewayParameters edge\/p: create it, or leave the reference out/)
    assert.equal((await cluster.get('deployment', name, home))?.metadata.resourceVersion, before)
  })
})

function ownersOfReplicas({ metadata }: ApiObject): readonly string[] {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly Readonly<Record<string, unknown>>[] }
  return managedFields.flatMap((entry) => (JSON.stringify(entry['fieldsV1']).includes('"f:replicas"') ? [String(entry['manager'])] : []))
}
