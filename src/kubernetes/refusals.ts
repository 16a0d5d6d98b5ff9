import { type ApiReply, statusText } from '../kube/kube.ts'
import type { ObjectRef } from './model.ts'
import { titleOf } from './world.ts'

/** Why an object of a Gateway could not be written, as a sentence with its remedy. */
export function refusalSentence(ref: ObjectRef, reply: Extract<ApiReply, { kind: 'reply' }>, isThere: boolean): string {
  const text = statusText(reply.body) ?? `status ${reply.status}`
  const [, user] = /\bUser "([^"]+)" cannot |user "([^"]+)" \(groups=/.exec(text)?.filter((part) => part !== undefined) ?? []
  if (reply.status !== 403 || user === undefined) {
    // What others changed in it may not go together with what it should be; what is too large is so by itself.
    const isByOthers = reply.status === 422 && isThere && !/\bToo long\b/.test(text)
    const keys = ref.kind === 'Secret' ? ' with new keys, which ends all sessions' : ''
    const remedy = isByOthers ? `. Delete that ${ref.kind}: mcplex makes it anew${keys}` : ''
    return `${titleOf(ref)} is refused by the API server: ${text}${remedy}`
  }
  const [, namespace, name] = /^system:serviceaccount:([^:]+):(.+)$/.exec(user) ?? []
  const subject = namespace === undefined ? `--user ${user}` : `--serviceaccount ${namespace}:${name}`
  const command = `kubectl create rolebinding mcplex-provisioner -n ${ref.namespace} --clusterrole mcplex-provisioner ${subject}`
  return `mcplex may not write ${titleOf(ref)}: ${command}`
}
