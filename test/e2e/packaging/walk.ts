import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../gateway.ts'
import { run } from '../setup/child.ts'
import type { Cluster } from '../setup/cluster.ts'
import { startController } from '../setup/controller.ts'
import { helmOf } from '../setup/helm.ts'
import type { Kubebox } from '../setup/kubebox.ts'
import { until } from '../setup/wait.ts'
import { stepsOf } from '../setup/walk.ts'
import { chart, containerOf, definitions, deploy, own } from './charts.ts'

const home = 'kgateway-system'
/** What waits for pods, or talks to them. */
const needsNode = /rollout status|kubectl wait|npx|port-forward/

/** The walk through the post, as far as it goes without a node, with the controller beside the cluster and no other rights than the chart gives. */
export async function walksThroughThePost(t: TestContext, cluster: Cluster, box: Kubebox, program: string): Promise<void> {
  const directory = await temporaryDirectory(t)
  const helm = helmOf(program, { kubeconfig: cluster.kubeconfig, directory })
  const page = await readFile(join(deploy, 'post/README.md'), 'utf8')
  const steps = stepsOf(page).filter(({ script }) => !needsNode.test(script))
  const bin = join(directory, 'bin')
  await mkdir(bin)
  for (const [name, command] of Object.entries({ kubectl: `"${box.program}" kubectl`, helm: `"${program}"` })) {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
  }
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: directory, KUBECONFIG: cluster.kubeconfig, GATEWAY_API: box.gatewayApi }
  /** All blocks under the headings that begin so. */
  const walk = async (...starts: readonly string[]) => {
    let said = ''
    for (const start of starts) {
      const blocks = steps.filter(({ heading }) => heading.startsWith(start))
      assert.ok(blocks.length > 0, start)
      for (const { script } of blocks) {
        const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: join(deploy, 'post'), env })
        assert.equal(code, 0, `${script}\n${stdout}${stderr}`)
        said += stdout
      }
    }
    return said
  }

  await t.test('to mcplex', async () => {
    const said = await walk('1.', '2.')
    assert.match(said, new RegExp(`The controller may serve Gateways in: ${home}\\.`))
    assert.doesNotMatch(said, /left as they are|has no/)
  })
  await startController(t, cluster)

  await t.test("the post's objects are applied as they are", async () => {
    const said = await walk('3.', '4.')
    for (const name of ['mcp-math-server', 'mcp-date-server']) {
      assert.match(said, new RegExp(`^deployment.apps/${name} created$`, 'm'))
      const { args } = containerOf(await cluster.get('deployment', name, 'default'))
      assert.match(args[0] ?? '', /^pip install "mcp\[cli\]<2" uvicorn starlette && /)
    }
  })

  await t.test('without a load balancer the status says what the page says', async () => {
    await cluster.must('wait', 'gateway/agentgateway', '-n', home, '--for=condition=Accepted', '--timeout=30s')
    const [, quoted = 'nothing is quoted'] = /^```\n(No authentication: .*)\n```$/m.exec(page) ?? []
    const reasonOf = '{.status.conditions[?(@.type=="Programmed")].reason}'
    await until('a word about the address', async () => {
      const reason = await cluster.must('get', 'gateway', 'agentgateway', '-n', home, '-o', `jsonpath=${reasonOf}`)
      return reason === 'AddressNotAssigned' ? true : undefined
    })
    // No pod runs here, which is said too.
    assert.equal((await walk('No load balancer')).replace(', and no proxy has reported yet that it runs this configuration', ''), quoted)
  })

  await t.test('the pods of the controller keep within the restricted profile', async () => {
    await cluster.must('label', 'namespace', own, 'pod-security.kubernetes.io/warn=restricted')
    await cluster.must('delete', 'deployment', 'mcplex', '-n', own)
    const { code, stderr } = await helm.run('upgrade', 'mcplex', chart('mcplex'), '--namespace', own, '--reset-values')
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stderr, /would violate/)
    const warned = await cluster.run('create', 'deployment', 'loose', '--image=a', '-n', own)
    assert.match(warned.stderr, /would violate PodSecurity "restricted/)
  })

  await t.test('where no namespace is named, the notes have the command that gives the right', async () => {
    assert.equal(await cluster.get('rolebinding', 'mcplex-provisioner', home), undefined)
    const notes = await helm.must('get', 'notes', 'mcplex', '--namespace', own)
    const [command = ''] = /kubectl create rolebinding .*/.exec(notes) ?? []
    await cluster.must(...command.replace('NAMESPACE', home).split(' ').slice(1))
    const may = await cluster.must('auth', 'can-i', 'create', 'deployments', '-n', home, `--as=system:serviceaccount:${own}:mcplex`)
    assert.equal(may, 'yes\n')
  })

  await t.test('away again: nothing is left but definitions', async () => {
    await walk('Taking it away')
    for (const kind of ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings', 'deployments', 'poddisruptionbudgets']) {
      const left = (await cluster.list(kind)).filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm')
      assert.deepEqual(left, [])
    }
    for (const { metadata } of await definitions()) assert.ok((await cluster.get('crd', metadata.name)) !== undefined, metadata.name)
  })
}
