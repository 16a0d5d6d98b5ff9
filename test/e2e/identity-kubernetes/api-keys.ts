import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { ask, firstRequests, type Headers, proven } from '../identity/eras.ts'
import { dataOf, untilSaid } from '../kubernetes/scene.ts'
import { until } from '../setup/wait.ts'
import { untilCallersAre } from './in-force.ts'
import { home } from './objects.ts'
import { keySecret, secretName } from './policies.ts'
import { keysOf, proofByKey } from './proofs.ts'
import type { Scene } from './scene.ts'
import { openStreams } from './streams.ts'

/** The Gateway's Secret has digests; no status, Event or log has even these keys' words. */
export async function tellsNoKey({ cluster, read, controller, pod, document }: Scene): Promise<void> {
  const text = await document()
  for (const key of Object.values(proofByKey.keys)) {
    assert.ok(text.includes(createHash('sha256').update(key).digest('hex')), `no digest of ${key}`)
  }
  const secrets = (await read.list('Secret')).filter(({ metadata }) => metadata.name !== secretName)
  const texts = {
    document: text,
    secrets: secrets.map((secret) => JSON.stringify([secret, dataOf(secret)])).join('\n'),
    objects: await cluster.must('get', 'gateways,httproutes,agentgatewaypolicies,agents,deployments,events', '-A', '-o', 'json'),
    controller: controller.log(),
    pod: `${pod.stdout()}${pod.stderr()}`,
  }
  for (const [what, each] of Object.entries(texts)) {
    assert.notEqual(each, '', what)
    for (const key of Object.values(proofByKey.keys)) {
      for (const form of [key, Buffer.from(key).toString('base64')]) assert.ok(!each.includes(form), `${what}: ${form}`)
    }
  }
}

/** The Secret's entries change, go, and come back: what it holds now counts, at once. */
export async function keysComeAndGo(t: TestContext, scene: Scene): Promise<void> {
  const next = keysOf('of-the-day-shift')
  const statusOf = (headers: Headers) => statusAt(scene, headers)
  const [old, fresh] = [await proofByKey.headers('sre'), await next.headers('sre')]

  await t.test('without a key, or with one that nobody has: 401, without a place to log in', async () => {
    for (const headers of [
      {},
      { 'x-api-key': 'sre-key' },
      { 'x-api-key': createHash('sha256').update(proofByKey.keys.sre).digest('hex') },
    ]) {
      const { status, challenge } = await ask(scene.url('sre'), proven(firstRequests.legacy, headers))
      assert.equal(status, 401)
      assert.match(challenge, /^Bearer /)
      assert.doesNotMatch(challenge, /resource_metadata/)
    }
    assert.equal(await statusOf({ authorization: `Bearer ${proofByKey.keys.sre}` }), 200)
  })

  await t.test('other keys in the Secret: the old ones are refused and their streams end, the new ones work', async () => {
    assert.deepEqual([await statusOf(old), await statusOf(fresh)], [200, 401])
    const streams = await openStreams(scene.url('sre'), old)
    await scene.apply(keySecret(next))
    await until('the new key', async () => ((await statusOf(fresh)) === 200 ? true : undefined), { explain: scene.controller.log })
    assert.equal(await statusOf(old), 401)
    await Promise.all(streams)
    assert.doesNotMatch(await scene.document(), /night-shift|day-shift/)
  })

  await t.test('the Secret is removed: nothing passes, and the status names it', async () => {
    await scene.remove(keySecret(next))
    const missing = `Secret ${home}/${secretName}, which does not exist: create it`
    await untilSaid(scene, [
      [`AgentgatewayPolicy ${home}/callers`, 'Accepted False Invalid', missing],
      [`AgentgatewayPolicy ${home}/callers`, 'Accepted False Invalid', `nothing passes there: Gateway ${home}/front`],
    ])
    await until('the pod serves it', async () => ((await statusOf(fresh)) === 200 ? undefined : true))
    assert.deepEqual([await statusOf(old), await statusOf(fresh)], [500, 500])
  })

  await t.test('it is back: its keys work', async () => {
    await scene.apply(keySecret(next))
    await untilCallersAre(scene, 'API key')
    await until('the pod serves it', async () => ((await statusOf(fresh)) === 200 ? true : undefined))
    assert.equal(await statusOf(old), 401)
  })
}

async function statusAt({ url }: Scene, headers: Headers): Promise<number> {
  return (await ask(url('sre'), proven(firstRequests.modern, headers))).status
}
