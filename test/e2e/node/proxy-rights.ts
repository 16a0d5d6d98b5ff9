import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Kubectl } from '../setup/kubectl.ts'
import type { Seen, Trials } from './inside-pod.ts'
import { home, type Scene } from './scene.ts'

type Request = Trials['asked'][number]

const own = 'agentgateway-mcplex'
const core = (namespace: string, rest: string) => `/api/v1/namespaces/${namespace}/${rest}`
const byName = `fieldSelector=metadata.name%3D${own}`

const may: readonly Request[] = [
  ['GET', core(home, `secrets/${own}`)],
  ['GET', core(home, `secrets?${byName}`)],
  ['GET', core(home, `secrets?watch=1&timeoutSeconds=1&${byName}`)],
]

const named = (apiVersion: string, kind: string) => ({ apiVersion, kind, metadata: { name: 'made-by-proxy' } })
const mayNot: readonly Request[] = [
  ['GET', core(home, 'secrets/other')],
  ['GET', core(home, 'secrets')],
  ['GET', core(home, 'secrets?watch=1')],
  ['GET', core('mcplex-system', 'secrets/other')],
  ['GET', '/api/v1/secrets'],
  ['GET', core(home, 'pods')],
  ['GET', core(home, 'configmaps')],
  ['GET', core('default', 'configmaps/mcp-math-script')],
  ['GET', core(home, 'services')],
  ['GET', `/apis/discovery.k8s.io/v1/namespaces/${home}/endpointslices`],
  ['GET', '/api/v1/nodes'],
  ['GET', '/api/v1/namespaces'],
  ['GET', `/apis/apps/v1/namespaces/${home}/deployments/agentgateway`],
  ['GET', `/apis/gateway.networking.k8s.io/v1/namespaces/${home}/gateways/agentgateway`],
  ['GET', `/apis/gateway.kgateway.dev/v1alpha1/namespaces/${home}/backends`],
  ['GET', `/apis/rbac.authorization.k8s.io/v1/namespaces/${home}/roles/${own}`],
  ['PATCH', core(home, `secrets/${own}`), { data: { extra: '' } }],
  ['PUT', core(home, `secrets/${own}`), { ...named('v1', 'Secret'), metadata: { name: own } }],
  ['DELETE', core(home, `secrets/${own}`)],
  ['POST', core(home, 'secrets'), named('v1', 'Secret')],
  ['POST', core(home, 'configmaps'), named('v1', 'ConfigMap')],
  ['POST', core(home, 'pods'), { ...named('v1', 'Pod'), spec: { containers: [{ name: 'a', image: 'a' }] } }],
  ['POST', core(home, `serviceaccounts/${own}/token`), { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }],
]

/** Where each file would lie; a root that may be read alone refuses whoever asks. */
const outside = ['/written', '/app/written', '/app/dist/written', '/usr/local/bin/written', '/var/lib/written', '/etc/written']

/** What a proxy's pod may do, tried in the pod itself: with its own token at the API server, and in its file system. */
export async function proxiesMayLittle(t: TestContext, { cluster }: Scene): Promise<void> {
  for (const namespace of [home, 'mcplex-system']) await cluster.must('create', 'secret', 'generic', 'other', '-n', namespace)
  const trials: Trials = { asked: [...may, ...mayNot], written: [...outside, '/var/lib/mcplex/written'] }
  const program = await readFile(join(import.meta.dirname, 'inside-pod.ts'), 'utf8')
  const inside = ['node', '--input-type=module-typescript', '--eval', program, JSON.stringify(trials)]
  const seen: Seen = JSON.parse(await cluster.must('exec', '-n', home, 'deployment/agentgateway', '--', ...inside))

  for (const [requests, status, from] of [
    [may, 200, 0],
    [mayNot, 403, may.length],
  ] as const) {
    const answers = requests.map(([method, path], at) => `${seen.statuses[from + at]} ${method} ${path}`)
    const expected = requests.map(([method, path]) => `${status} ${method} ${path}`)
    assert.deepEqual(answers, expected)
    for (const answer of answers) t.diagnostic(answer)
  }

  const fields = ['Uid', 'Gid', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp']
  const said = Object.fromEntries(fields.map((field) => [field, new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(seen.status)?.[1]]))
  const [ids, none] = [Array(4).fill('10101').join('\t'), '0'.repeat(16)]
  const expected = { Uid: ids, Gid: ids, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none, NoNewPrivs: '1', Seccomp: '2' }
  assert.deepEqual(said, expected)

  const [, options = ''] = /^\S+ \/ \S+ (\S+)/m.exec(seen.mounts) ?? []
  assert.ok(options.split(',').includes('ro'), seen.mounts)
  const refused = outside.map((path) => [path, 'EROFS'] as const)
  assert.deepEqual(seen.writes, { ...Object.fromEntries(refused), '/var/lib/mcplex/written': 'written' })

  await areRestricted(cluster)
  for (const namespace of [home, 'mcplex-system']) await cluster.must('delete', 'secret', 'other', '-n', namespace)
}

/** From now on the post's namespace takes no pods but those that keep the Pod Security Standard `restricted`, and the Gateway's are let in. */
async function areRestricted(cluster: Kubectl): Promise<void> {
  // The API server warns here of pods that are there and would not be let in.
  const { code, stderr } = await cluster.run('label', 'namespace', home, 'pod-security.kubernetes.io/enforce=restricted')
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  const loose = await cluster.run('run', 'loose', '--image=a', '-n', home)
  assert.match(loose.stderr, /violates PodSecurity "restricted/)
  await cluster.must('rollout', 'restart', 'deployment/agentgateway', '-n', home)
  await cluster.must('rollout', 'status', 'deployment/agentgateway', '-n', home, '--timeout=60s')
}
