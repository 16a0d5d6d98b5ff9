import type { ApiClient, ApiReply } from './api-client.ts'
import { memberOf } from './api-status.ts'
import { type Collection, pathOf, selectorOf } from './collection.ts'

/** `revision`: from where a watch goes on. */
export type Listed = { readonly kind: 'listed'; readonly objects: readonly unknown[]; readonly revision: string } | ApiReply

/** Of objects; halved where that is more than a reply may hold, which depends on their size. */
const firstPage = 500
const pageMs = 30_000

/** All objects of a collection, page by page as of one moment, or the first reply that is no page. */
export async function listCollection(client: ApiClient, collection: Collection, signal: AbortSignal): Promise<Listed> {
  const objects: unknown[] = []
  const selector = selectorOf(collection)
  let limit = firstPage
  let next: string | undefined
  for (;;) {
    const query = { ...selector, limit: String(limit) }
    const reply = await client.request({
      method: 'GET',
      path: pathOf(collection),
      query: next === undefined ? query : { ...query, continue: next },
      timeoutMs: pageMs,
      signal,
    })
    if (reply.kind === 'unreachable' && reply.isTooLarge === true && limit > 1) {
      limit = Math.floor(limit / 2)
      continue
    }
    if (reply.kind !== 'reply' || reply.status !== 200) return reply
    const items = memberOf(reply.body, 'items')
    const metadata = memberOf(reply.body, 'metadata')
    const revision = memberOf(metadata, 'resourceVersion')
    // Go writes a list without items as null.
    if (!(items === null || Array.isArray(items)) || typeof revision !== 'string') return { kind: 'unreachable', text: 'sent no list' }
    for (const item of items ?? []) objects.push(withType(item, reply.body))
    next = textOf(memberOf(metadata, 'continue'))
    if (next === undefined) return { kind: 'listed', objects, revision }
  }
}

/** Items of built-in kinds don't say what they are; their list does. */
function withType(item: unknown, list: unknown): unknown {
  const kind = textOf(memberOf(list, 'kind'))
  if (typeof item !== 'object' || item === null || kind === undefined) return item
  return { apiVersion: memberOf(list, 'apiVersion'), kind: kind.replace(/List$/, ''), ...item }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
