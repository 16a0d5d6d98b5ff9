import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import packageJson from '../../../package.json' with { type: 'json' }
import { runMcplex, temporaryDirectory } from '../gateway.ts'
import { cacheDirectory, checkout } from '../setup/cache.ts'
import { until } from '../setup/wait.ts'
import {
  type Condition,
  controllerName,
  dataOf,
  documentOf,
  documentText,
  goldenDocument,
  home,
  postFile,
  type Scene,
  type Status,
  statusOf,
  untilSaid,
} from './scene.ts'
import { servesTools } from './serves-tools.ts'
import { allIsWell, thePost } from './situation.ts'

const gateway = `${home}/agentgateway`

/** Applies the post's files in its own order; what comes of them is what the golden case says, and works. */
export async function servesThePost(t: TestContext, scene: Scene): Promise<void> {
  const { cluster, read } = scene
  await t.test('in the order of the post', async () => {
    for (const file of ['math-server', 'date-server', 'gateway', 'backend', 'httproute']) await cluster.applyFiles(postFile(file))
    await untilSaid(scene, [['GatewayClass agentgateway', 'Accepted True Accepted'], ...allIsWell], thePost)
    await isAsGolden(scene)
  })

  await t.test('kubectl shows what there is', async (t) => {
    const gets = ['get', 'gateways,httproutes,backends', '-A']
    const columns = (await cluster.must('get', 'backends', '-n', home))
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/))
    assert.deepEqual(
      [columns[0]?.slice(0, 4), columns[1]?.slice(0, 4)],
      [
        ['NAME', 'TYPE', 'ACCEPTED', 'TARGETS'],
        ['mcp-backend', 'MCP', 'True', '2'],
      ],
    )
    const described = ['gateway/agentgateway', 'httproute/mcp-route', 'backends.gateway.kgateway.dev/mcp-backend']
    const texts = [await cluster.must(...gets), ...(await Promise.all(described.map((name) => cluster.must('describe', '-n', home, name))))]
    await mkdir(cacheDirectory, { recursive: true })
    await writeFile(join(cacheDirectory, 'kubectl.txt'), texts.join('\n---\n'))
    t.diagnostic(`kubectl get and describe: ${join(cacheDirectory, 'kubectl.txt')}`)
    assert.match(texts.join('\n'), /Controller Name: +mcplex\.dev\/controller/)
  })

  const file = join(await temporaryDirectory(t), 'config.json')
  await writeFile(file, (await documentText(read, gateway)) ?? '')
  await t.test('the document of its Secret, run as it is, lists and calls the tools of the real servers', (t) => servesTools(t, file))
  await t.test('mcplex check takes it', async () => {
    const { code, stdout, stderr } = await runMcplex(['check', file])
    assert.equal(code, 0, `${stdout}${stderr}`)
  })
  await t.test('mcplex translate prints an equal one', async () => {
    const { code, stdout, stderr } = await runMcplex(['translate', '-f', join(checkout, 'test/seed')])
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    const translated = `${file}.yaml`
    await writeFile(translated, stdout)
    const whole = async (path: string) => (await runMcplex(['check', '--print', path])).stdout
    assert.match(await whole(file), /mcp-math-server/)
    assert.equal(await whole(translated), await whole(file))
  })
}

/** Takes away the post's objects and applies them in the order in which each names what isn't there yet: the Gateway first, the Backend last. */
export async function comesToTheSame(scene: Scene): Promise<void> {
  const { cluster, read } = scene
  const before = await sessionKeys(scene)
  const names = ['gateway', 'httproute', 'math-server', 'date-server', 'backend']
  await cluster.must('delete', ...names.flatMap((name) => ['-f', postFile(name)]))
  await until('what the Gateway owned gone', async () => {
    const left = await Promise.all([read.get('Secret', 'agentgateway-mcplex', home), read.get('Service', 'agentgateway', home)])
    return left.every((object) => object === undefined) ? true : undefined
  })
  // A controller makes its class once; whoever takes it away then makes the next.
  assert.equal(await read.get('GatewayClass', 'agentgateway'), undefined)
  await cluster.apply(JSON.stringify(ownClass))
  await cluster.applyFiles(postFile('gateway'), postFile('httproute'))
  const reason = 'there is no Backend kgateway-system/mcp-backend: create it'
  await untilSaid(scene, [['HTTPRoute mcp-route', 'ResolvedRefs False BackendNotFound', reason]])
  for (const name of names.slice(2)) await cluster.applyFiles(postFile(name))
  await untilSaid(scene, allIsWell, thePost)
  await isAsGolden(scene)
  assert.notEqual(await sessionKeys(scene), before)
}

const ownClass = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'agentgateway' },
  spec: { controllerName, description: 'MCP servers behind one endpoint' },
}

async function isAsGolden({ read }: Scene): Promise<void> {
  assert.deepEqual(await documentOf(read, gateway), goldenDocument(packageJson.version))
  const secret = await read.get('Secret', 'agentgateway-mcplex', home)
  assert.ok(secret !== undefined)
  const { 'config.json': _, 'sessions.keys': keys = '', 'admin.token': token = '', ...others } = dataOf(secret)
  assert.deepEqual(others, {})
  assert.deepEqual(
    JSON.parse(keys).map(({ id, secret, ...others }: { id: string; secret: string }) => [id, Buffer.from(secret, 'base64').length, others]),
    [['a', 32, {}]],
  )
  assert.ok(Buffer.from(token, 'base64url').length >= 32)

  const made = await read.get('GatewayClass', 'agentgateway')
  assert.deepEqual(made?.['spec'], ownClass.spec)
  const [gatewayObject, route, backend] = await Promise.all([
    read.get('Gateway', 'agentgateway', home),
    read.get('HTTPRoute', 'mcp-route', home),
    read.get('Backend', 'mcp-backend', home),
  ])
  const status = statusOf(gatewayObject)
  assert.deepEqual(
    status.listeners?.map(({ name, attachedRoutes }) => [name, attachedRoutes]),
    [['http', 1]],
  )
  const { parents = [] } = statusOf(route)
  assert.deepEqual(
    parents.map((entry) => entry.controllerName),
    [controllerName],
  )
  assert.deepEqual(statusOf(backend)['mcp'], { targets: 2 })
  for (const object of [gatewayObject, route, backend]) {
    for (const condition of conditionsIn(statusOf(object))) {
      assert.equal(condition.observedGeneration, object?.metadata.generation, JSON.stringify(condition))
      assert.ok(Date.parse(condition.lastTransitionTime) > Date.parse('2020-01-01'), JSON.stringify(condition))
    }
  }
}

function conditionsIn({ conditions = [], listeners = [], parents = [] }: Status): readonly Condition[] {
  return [...conditions, ...[...listeners, ...parents].flatMap((entry) => entry.conditions ?? [])]
}

async function sessionKeys({ read }: Scene): Promise<string | undefined> {
  const secret = await read.get('Secret', 'agentgateway-mcplex', home)
  return secret && dataOf(secret)['sessions.keys']
}
