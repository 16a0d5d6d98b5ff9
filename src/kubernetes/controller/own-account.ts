import type { ApiClient } from '../../kube/kube.ts'
import { textAt } from '../objects/objects.ts'

/**
 * This process's user name as the API server calls it, such as `system:serviceaccount:mcplex-system:mcplex`; undefined where it does not say
 * so within 5 s.
 */
export async function ownAccount(client: Pick<ApiClient, 'request'>): Promise<string | undefined> {
  const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const reply = await client.request({ method: 'POST', path, body: kind, timeoutMs: 5000 })
  return reply.kind === 'reply' && reply.status < 300 ? textAt(reply.body, 'status', 'userInfo', 'username') : undefined
}
