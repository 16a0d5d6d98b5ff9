import assert from 'node:assert/strict'
import { type Saying, untilSaid } from '../kubernetes/scene.ts'
import { gatewayName, home } from './objects.ts'
import type { Scene } from './scene.ts'

/** Waits until the pod serves what the objects come to, and that is: callers prove themselves in that way, and nobody comes in without. */
export async function untilCallersAre(scene: Scene, by: 'JWT' | 'API key'): Promise<void> {
  await untilSaid(scene, [
    [`Gateway ${home}/${gatewayName}`, 'Accepted True Accepted', 'all its listeners are served'],
    [`Gateway ${home}/${gatewayName}`, 'Programmed True Programmed', `Callers authenticate by ${by}; 1 of 1 proxy serves it`],
    [`AgentgatewayBackend ${home}/office`, 'Accepted True Accepted', 'serves 4 servers'],
    ...(['sre', 'accountant', 'everything'] as const).map(
      (door): Saying => [`HTTPRoute ${home}/${door}`, 'ResolvedRefs True ResolvedRefs', 'every backendRef leads to what serves'],
    ),
    ...(['sre', 'accountant'] as const).map((agent): Saying => [`Agent ${home}/${agent}`, 'Accepted True Accepted', 'serves 4 servers']),
    [`AgentgatewayPolicy ${home}/callers`, 'Accepted True Accepted', 'all of it is in force'],
    [`AgentgatewayPolicy ${home}/callers`, 'Attached True Attached', `it holds for Gateway ${home}/${gatewayName}`],
    [`AgentgatewayPolicy ${home}/denials`, 'Accepted True Accepted', 'all of it is in force'],
    [`AgentgatewayPolicy ${home}/denials`, 'Attached True Attached', `HTTPRoute ${home}/sre`],
  ])
  const document = await scene.document()
  assert.match(document, /"authenticate"/)
  assert.doesNotMatch(document, /insecure/)
}
