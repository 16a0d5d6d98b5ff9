import { type ApiReply, statusText } from '../../kube/kube.ts'
import { commandToProvision, listAt, type ObjectRef, textAt, titleOf } from '../objects/objects.ts'

/** An object of a Gateway that could not be written. */
export interface Refused {
  readonly ref: ObjectRef
  /** Whether the object existed before. */
  readonly isThere: boolean
  /** Titles of the GatewayParameters that it is made with. */
  readonly parameters: readonly string[]
}

/** Why an object of a Gateway could not be written, as a sentence with its remedy. */
export function refusalSentence({ ref, isThere, parameters }: Refused, reply: Extract<ApiReply, { kind: 'reply' }>): string {
  const text = statusText(reply.body) ?? `status ${reply.status}`
  const [, user] = /\bUser "([^"]+)" cannot |user "([^"]+)" \(groups=/.exec(text)?.filter((part) => part !== undefined) ?? []
  if (reply.status === 403 && user !== undefined) return `mcplex may not write ${titleOf(ref)}: ${commandToProvision(ref.namespace, user)}`
  return `${titleOf(ref)} is refused by the API server: ${text}${remedyFor({ ref, isThere, parameters }, reply, text)}`
}

/** How the API server says that a field is immutable: for most kinds, for Services, for RoleBindings. */
const isImmutable = /\bfield is immutable\b|\bmay not change once set\b|\bcannot change roleRef\b/

/**
 * The remedy for an object that is refused as invalid. Deleting it is advised only where nothing but an immutable field is in the way: for
 * any other reason a new one would be refused too, and nothing would serve.
 */
function remedyFor({ ref, isThere, parameters }: Refused, { status, body }: Extract<ApiReply, { kind: 'reply' }>, text: string): string {
  if (status !== 422) return ''
  const causes = listAt(body, 'details', 'causes').map((cause) => textAt(cause, 'message') ?? '')
  if (isThere && (causes.length === 0 ? [text] : causes).every((cause) => isImmutable.test(cause))) {
    const keys = ref.kind === 'Secret' ? ' with new keys, which ends all sessions' : ''
    return `. Delete that ${ref.kind}: mcplex makes it anew${keys}`
  }
  if (parameters.length > 0 && ref.kind !== 'Secret') return `. Correct what ${parameters.join(' or ')} says of it`
  return isThere && !/\bToo long\b/.test(text) ? '. Where somebody has changed that field, take it back' : ''
}
