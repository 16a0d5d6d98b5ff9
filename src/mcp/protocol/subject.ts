import type { Member, Message } from '../json/json.ts'
import { member, members, stringOf } from '../json/json.ts'
import { type Method, type MethodRow, methods } from './methods.ts'
import { type Refusal, refuse } from './refusal.ts'

/** What a request is about: a tool, a prompt or a resource, as the client calls it. */
export interface Subject {
  readonly kind: 'tools' | 'prompts' | 'resources'
  /** The exposed name or URI; in a completion a resource may be a template. */
  readonly name: string
  /** Where the name stands in the message's text, with its quotes. */
  readonly place: Member
}

const kinds: Readonly<Record<string, Subject['kind']>> = {
  'tools/call': 'tools',
  'prompts/get': 'prompts',
  'resources/read': 'resources',
  'resources/subscribe': 'resources',
  'resources/unsubscribe': 'resources',
}

/** What a request names; undefined for methods that name nothing, an `invalid-params` refusal where the name is missing or no string. */
export function subjectOf(message: Message, method: Method): Subject | Refusal | undefined {
  const row: MethodRow = methods[method]
  if (row.subject === undefined) return undefined
  return row.subject === 'ref' ? referenceOf(message) : namedBy(message, method, row.subject)
}

/** What a member of params names. */
export function namedBy(message: Message, method: string, key: 'name' | 'uri'): Subject | Refusal {
  const place = member(message.params ?? [], key)
  const name = place === undefined ? undefined : stringOf(message.text, place)
  const kind = kinds[method]
  if (place === undefined || name === undefined || kind === undefined)
    return refuse('invalid-params', `${method} needs a string params.${key}`)
  return { kind, name, place }
}

/** The prompt or the resource (template) that an argument belongs to (2026-07-28, completion, Reference Types). */
function referenceOf({ text, params }: Message): Subject | Refusal {
  const ref = member(params ?? [], 'ref')
  const list = ref?.type === 'object' ? members(text, ref.start, ref.end) : []
  const type = member(list, 'type')
  const word = type === undefined ? undefined : stringOf(text, type)
  const isPrompt = word === 'ref/prompt'
  const place = isPrompt ? member(list, 'name') : word === 'ref/resource' ? member(list, 'uri') : undefined
  const name = place === undefined ? undefined : stringOf(text, place)
  if (place === undefined || name === undefined)
    return refuse(
      'invalid-params',
      'completion/complete needs params.ref: {"type":"ref/prompt","name":…} or {"type":"ref/resource","uri":…}',
    )
  return { kind: isPrompt ? 'prompts' : 'resources', name, place }
}
