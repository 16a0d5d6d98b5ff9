import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { ask, firstRequests, proven } from '../identity/eras.ts'
import { shownTo } from '../identity/office.ts'
import type { Manifest } from '../kubernetes/manifests.ts'
import { type Saying, untilSaid } from '../kubernetes/scene.ts'
import { hasTool, type Listener } from '../setup/listeners.ts'
import { until } from '../setup/wait.ts'
import { untilCallersAre } from './in-force.ts'
import { listenAs } from './listening.ts'
import { agentsFor, type Door, gatewayName, home } from './objects.ts'
import { callersBy, denials } from './policies.ts'
import type { Person, TokenProof } from './proofs.ts'
import type { Scene } from './scene.ts'
import { namesOf, said, unknown } from './story.ts'
import { openStreams } from './streams.ts'

/** From the API server's answer to what a connected client has seen. */
const atMostMs = 2000
const restart = 'kubernetes_restart_deployment'

/** A rule more takes a tool away from clients that are connected, who are told so; without it, it comes back. */
export async function oneMoreDenial(t: TestContext, scene: Scene, proof: TokenProof): Promise<void> {
  await t.test('one more denial: connected clients are told, and the tool is gone', async (t) => {
    const listeners = await listenAs(t, scene.url('sre'), await proof.headers('sre'))
    const uninvolved = await listenAs(t, scene.url('accountant'), await proof.headers('accountant'))
    await toldOf(t, scene, listeners, denials('mcp.tool.name == "restart_deployment"'), false)
    for (const { client } of listeners) {
      assert.equal(await said(client, restart), unknown(restart))
      assert.deepEqual((await namesOf(client)).toSorted(), shownTo.sre.filter((tool) => tool !== restart).toSorted())
    }
    await toldOf(t, scene, listeners, denials(), true)
    for (const { client } of listeners) assert.equal(await said(client, restart), 'kubernetes did restart_deployment')
    for (const { name, client, changes } of uninvolved) {
      assert.deepEqual(await namesOf(client), shownTo.accountant)
      assert.equal(changes(), 0, `the accountant's ${name} client was told of what it doesn't see`)
    }
  })
}

async function toldOf(t: TestContext, scene: Scene, listeners: readonly Listener[], change: Manifest, expected: boolean): Promise<void> {
  const before = listeners.map(({ changes }) => changes())
  const startedAt = performance.now()
  await scene.apply(change)
  const appliedAt = performance.now()
  const options = { timeoutMs: atMostMs, explain: () => `${scene.controller.log().slice(-2000)}${scene.pod.stderr().slice(-2000)}` }
  await Promise.all(
    listeners.map(async ({ name, client, changes }, index) => {
      await until(`list_changed for the ${name} client`, () => (changes() > (before[index] ?? 0) ? true : undefined), options)
      await until(`the change in the ${name} client's list`, () => hasTool(restart, expected)(client), options)
      const now = performance.now()
      t.diagnostic(`${name}: ${Math.round(now - appliedAt)} ms after kubectl apply, which took ${Math.round(appliedAt - startedAt)} ms`)
    }),
  )
}

/** What can't be read lets nobody through where it holds, and elsewhere all goes on. */
export async function badExpressionsClose(t: TestContext, scene: Scene, proof: TokenProof): Promise<void> {
  const bad = 'mcp.tool.name =='
  const gateway = `${home}/${gatewayName}`

  await t.test('a policy of routes with a bad expression: nothing passes there, and open streams end', async (t) => {
    const listeners = await listenAs(t, scene.url('sre'), await proof.headers('sre'))
    const streams = await openStreams(scene.url('sre'), await proof.headers('sre'))
    await isClosed(
      scene,
      proof,
      denials(bad),
      ['sre', 'accountant'],
      [
        [`AgentgatewayPolicy ${home}/denials`, 'Accepted False Invalid', `matchExpressions[2]: \`${bad}\` is not a CEL expression`],
        [
          `AgentgatewayPolicy ${home}/denials`,
          'Accepted False Invalid',
          `nothing passes there: HTTPRoute ${home}/sre, HTTPRoute ${home}/accountant`,
        ],
        [`AgentgatewayPolicy ${home}/denials`, 'Attached False Pending', 'it is not in force: Accepted says why'],
        [`HTTPRoute ${home}/sre`, 'Accepted True Accepted', `spec.rules[0] is closed: AgentgatewayPolicy ${home}/denials`],
      ],
    )
    for (const { client } of listeners) await assert.rejects(client.callTool({ name: restart, arguments: {} }), /500|is closed/)
    await Promise.all(streams)
    assert.equal(await statusAt(scene, proof, 'everything', 'admin'), 200)
    await opensAgain(scene, proof, denials())
  })

  await t.test("the Gateway's policy with a bad expression: nothing passes at all", async () => {
    await isClosed(
      scene,
      proof,
      callersOf(proof, bad),
      ['sre', 'accountant', 'everything'],
      [
        [`AgentgatewayPolicy ${home}/callers`, 'Accepted False Invalid', `matchExpressions[3]: \`${bad}\` is not a CEL expression`],
        [`AgentgatewayPolicy ${home}/callers`, 'Accepted False Invalid', `nothing passes there: Gateway ${gateway}`],
        [`Gateway ${gateway} http`, 'Programmed False Invalid', `AgentgatewayPolicy ${home}/callers`],
      ],
    )
    await opensAgain(scene, proof, callersOf(proof))
  })

  await t.test('an Agent with a bad expression: it serves nobody, the other goes on', async () => {
    const [agent] = agentsFor(proof)
    assert.ok(agent !== undefined)
    const broken = { ...agent, spec: { ...(agent['spec'] as object), access: 'mcp.tool.name == "a"' } }
    await isClosed(
      scene,
      proof,
      broken,
      ['sre'],
      [
        [`Agent ${home}/sre`, 'Accepted False Invalid', 'spec.access'],
        [`HTTPRoute ${home}/sre`, 'ResolvedRefs False Invalid', `Agent ${home}/sre serves nothing`],
      ],
    )
    assert.equal(await statusAt(scene, proof, 'accountant', 'accountant'), 200)
    await opensAgain(scene, proof, agent)
  })
}

/** Without the policy nobody is asked who he is, and the status says so; what an Agent asks stands. */
export async function withoutPolicy(scene: Scene, proof: TokenProof): Promise<void> {
  await scene.remove(callersOf(proof))
  const gateway = `Gateway ${home}/${gatewayName}`
  await untilSaid(scene, [
    [gateway, 'Programmed True Programmed', 'No authentication: whoever reaches it may use it; 1 of 1 proxy serves it'],
  ])
  assert.match(await scene.document(), /"insecure":true/)
  for (const request of Object.values(firstRequests)) {
    assert.equal((await ask(scene.url('everything'), request)).status, 200)
    for (const door of ['sre', 'accountant'] as const) assert.equal((await ask(scene.url(door), request)).status, 403)
  }
}

function callersOf(proof: TokenProof, ...more: readonly string[]): Manifest {
  const [policy] = callersBy(proof, ...more).filter(({ kind }) => kind === 'AgentgatewayPolicy')
  assert.ok(policy !== undefined)
  return policy
}

/** Nobody passes at these doors: not who could, nor who proves nothing. */
async function isClosed(
  scene: Scene,
  proof: TokenProof,
  change: Manifest,
  doors: readonly Door[],
  sayings: readonly Saying[],
): Promise<void> {
  await scene.apply(change)
  await untilSaid(scene, sayings)
  await until('the pod serves it', async () => ((await statusAt(scene, proof, doors[0] ?? 'sre', 'sre')) === 500 ? true : undefined))
  for (const door of doors) {
    for (const person of ['sre', 'accountant', 'admin'] as const) assert.equal(await statusAt(scene, proof, door, person), 500)
    for (const request of Object.values(firstRequests)) {
      const { status, text } = await ask(scene.url(door), request)
      assert.ok(status === 401 || status === 500, `${status} ${text}`)
      assert.doesNotMatch(text, /"result"/)
    }
  }
}

async function opensAgain(scene: Scene, proof: TokenProof, change: Manifest): Promise<void> {
  await scene.apply(change)
  await untilCallersAre(scene, 'JWT')
  // Statuses say what they said before until the pod has told what it serves now.
  for (const person of ['sre', 'accountant'] as const)
    await until('the pod serves it', async () => ((await statusAt(scene, proof, person, person)) === 200 ? true : undefined))
}

async function statusAt({ url }: Scene, proof: TokenProof, door: Door, person: Person): Promise<number> {
  const statuses = await Promise.all(
    Object.values(firstRequests).map(async (request) => (await ask(url(door), proven(request, await proof.headers(person)))).status),
  )
  assert.equal(new Set(statuses).size, 1, `the eras differ: ${statuses}`)
  return statuses[0] ?? 0
}
