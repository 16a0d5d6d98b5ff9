import { test } from 'node:test'
import { kubebox } from '../setup/kubebox.ts'
import { need } from '../setup/part.ts'
import { keysComeAndGo, tellsNoKey } from './api-keys.ts'
import { badExpressionsClose, oneMoreDenial, withoutPolicy } from './changes.ts'
import { untilCallersAre } from './in-force.ts'
import { callersBy, denials, keySecret } from './policies.ts'
import { proofByKey, proofByToken } from './proofs.ts'
import { startScene } from './scene.ts'
import { asksForTokens, seesFiveAndThree } from './story.ts'

test('identity by objects of an API server: two agents over four servers with 60 tools', async (t) => {
  const box = await need(t, kubebox())
  if (box === undefined) return
  const scene = await startScene(t, box)
  const byToken = await proofByToken()

  await t.test('by tokens', async (t) => {
    await scene.apply(...callersBy(byToken), denials())
    await untilCallersAre(scene, 'JWT')
    await t.test('who has no good token is told where to get one', () => asksForTokens(scene, byToken))
    await seesFiveAndThree(t, scene, byToken)
    await oneMoreDenial(t, scene, byToken)
    await badExpressionsClose(t, scene, byToken)
    await t.test('the policy is removed: whoever comes may come in, and the status says so', () => withoutPolicy(scene, byToken))
  })

  await t.test('by keys', async (t) => {
    await scene.apply(keySecret(proofByKey), ...callersBy(proofByKey), denials())
    await untilCallersAre(scene, 'API key')
    await t.test('no key is in clear anywhere', () => tellsNoKey(scene))
    await seesFiveAndThree(t, scene, proofByKey)
    await keysComeAndGo(t, scene)
  })
})
