import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { failedCalls, told } from '../setup/load.ts'
import { killContainers } from '../setup/pods.ts'
import { until } from '../setup/wait.ts'
import { loadOn, pairRuns } from './pair.ts'
import { scaleController, withoutController } from './scale-controller.ts'
import { home, type Scene } from './scene.ts'

const version = '999.0.0'

/** A newer controller writes what the pods of this version can't read: they serve what they have, say so, and go on to what they can read. */
export async function unreadableDocument(t: TestContext, scene: Scene): Promise<void> {
  const { cluster } = scene
  const pair = await pairRuns(scene)
  const [one, other] = await pair.proxies()
  const good = await pair.source(one)
  const load = await loadOn(t, pair)
  const refusal = (source: typeof good) => source.digest === good.digest && source.refused?.version === version && source.refused

  // This version's would put it right.
  await withoutController(t, scene)
  const secret = `${pair.name}-mcplex`
  const document = JSON.parse(atob(await cluster.must('get', 'secret', secret, '-n', home, '-o', 'jsonpath={.data.config\\.json}')))
  const data = { 'config.json': btoa(JSON.stringify({ ...document, 'mcplex.dev/version': version, notYetKnown: {} })) }
  await cluster.must('patch', 'secret', secret, '-n', home, '--type=merge', '-p', JSON.stringify({ data }))
  for (const proxy of [one, other]) {
    const { text } = await until('the refusal', async () => refusal(await pair.source(proxy)) || undefined)
    assert.match(text, /notYetKnown/)
    t.diagnostic(`${proxy.name} says: ${text}`)
  }
  await load.goesOn(1)
  await load.stop()
  assert.deepEqual(failedCalls(load), [])
  t.diagnostic(told(load))

  const killedAt = performance.now()
  killContainers(one)
  const restarted = await until('its copy served by a container that starts', async () => {
    const source = await pair.source(one)
    return source.isLastGood ? source : undefined
  })
  assert.ok(refusal(restarted), JSON.stringify(restarted))
  t.diagnostic(`a container that starts serves the copy ${Math.round(performance.now() - killedAt)} ms after the end of the one before`)

  await scaleController(scene, 2)
  for (const proxy of [one, other]) {
    const source = await until(
      'the good document in force',
      async () => {
        const source = await pair.source(proxy)
        return source.refused === undefined && !source.isLastGood ? source : undefined
      },
      { timeoutMs: 60_000 },
    )
    assert.deepEqual(source, good)
  }
}
