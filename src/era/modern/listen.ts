import { elements, type Message, member, members, type Refusal, refuse, stringOf } from '../../mcp/mcp.ts'
import { metaKeys } from '../versions.ts'

/** The filter of a `subscriptions/listen` request, or what is granted of it (2026-07-28, subscriptions, Notification Filter). */
export interface ListenFilter {
  readonly toolsListChanged: boolean
  readonly promptsListChanged: boolean
  readonly resourcesListChanged: boolean
  /** Without duplicates. */
  readonly resourceSubscriptions: readonly string[]
}

/** Bound of the URIs of one stream, which can stay open for long. */
const maxUris = 256
const maxUriChars = 8192
const maxChars = 64 * 1024

const flags = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const

/** Reads `params.notifications`: an `invalid-params` refusal where a member is of another type, or there are more than 256 URIs. */
export function listenFilter(message: Message): ListenFilter | Refusal {
  const { text } = message
  const filter = member(message.params ?? [], 'notifications')
  if (filter?.type !== 'object') return refuse('invalid-params', 'subscriptions/listen needs an object params.notifications')
  const list = members(text, filter.start, filter.end)
  for (const key of flags) {
    const flag = member(list, key)
    if (flag !== undefined && flag.type !== 'true' && flag.type !== 'false')
      return refuse('invalid-params', `notifications.${key} must be a boolean`)
  }
  const sent = member(list, 'resourceSubscriptions')
  const items = sent?.type === 'array' ? elements(text, sent.start, sent.end) : []
  if ((sent !== undefined && sent.type !== 'array') || items.some(({ type }) => type !== 'string'))
    return refuse('invalid-params', 'notifications.resourceSubscriptions must be an array of strings')
  const uris = [...new Set(items.map((item) => stringOf(text, item) ?? ''))]
  if (uris.length > maxUris) return refuse('invalid-params', `notifications.resourceSubscriptions holds more than ${maxUris} URIs`)
  if (uris.some((uri) => uri.length > maxUriChars))
    return refuse('invalid-params', `notifications.resourceSubscriptions holds a URI of more than ${maxUriChars} characters`)
  if (uris.reduce((sum, uri) => sum + uri.length, 0) > maxChars)
    return refuse('invalid-params', `notifications.resourceSubscriptions holds more than ${maxChars} characters`)
  const isOn = (key: (typeof flags)[number]) => member(list, key)?.type === 'true'
  return {
    toolsListChanged: isOn('toolsListChanged'),
    promptsListChanged: isOn('promptsListChanged'),
    resourcesListChanged: isOn('resourcesListChanged'),
    // Copied, since a slice of a string keeps the request's whole text as long as the stream is open.
    resourceSubscriptions: uris.map((uri) => JSON.parse(JSON.stringify(uri)) as string),
  }
}

/** Makes the messages of a listen stream. Each carries the id of the listen request, which is given as JSON text. */
export const listenMessages = {
  /** @param honoured what is granted of the filter */
  acknowledged(id: string, honoured: ListenFilter): string {
    const { resourceSubscriptions: uris } = honoured
    const kept = Object.fromEntries(flags.filter((key) => honoured[key]).map((key) => [key, true]))
    const notifications = JSON.stringify(uris.length === 0 ? kept : { ...kept, resourceSubscriptions: uris })
    return notification('notifications/subscriptions/acknowledged', id, `,"notifications":${notifications}`)
  },
  /** @param method the method of the notification, such as `notifications/tools/list_changed` */
  changed: (id: string, method: string) => notification(method, id, ''),
  updated: (id: string, uri: string) => notification('notifications/resources/updated', id, `,"uri":${JSON.stringify(uri)}`),
  end: (id: string) => `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete",${metaOf(id)}}}`,
} as const

function notification(method: string, id: string, params: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":{${metaOf(id)}${params}}}`
}

function metaOf(id: string): string {
  return `"_meta":{"${metaKeys.subscription}":${id}}`
}
