import type { ApiClient, ApiReply } from './api-client.ts'
import { memberOf } from './api-status.ts'
import { type Collection, pathOf, selectorOf } from './collection.ts'

/** The objects of a collection, and the resourceVersion (`revision`) from which a watch resumes; or a reply that is no list. */
export type Listed = { readonly kind: 'listed'; readonly objects: readonly unknown[]; readonly revision: string } | ApiReply

/** How many objects a page has. It is halved where a page is too large for one reply, which depends on the size of the objects. */
const firstPage = 500
const pageMs = 30_000

/** Reads all objects of a collection page by page, all as of one moment. Resolves with the first reply that is no page, if there is one. */
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
    // An API server, which is written in Go, writes an empty list as null.
    if (!(items === null || Array.isArray(items)) || typeof revision !== 'string') return { kind: 'unreachable', text: 'sent no list' }
    for (const item of items ?? []) objects.push(withType(item, reply.body))
    next = textOf(memberOf(metadata, 'continue'))
    if (next === undefined) return { kind: 'listed', objects, revision }
  }
}

/** Adds `apiVersion` and `kind` to an item from those of its list, since items of built-in kinds come without them. */
function withType(item: unknown, list: unknown): unknown {
  const kind = textOf(memberOf(list, 'kind'))
  if (typeof item !== 'object' || item === null || kind === undefined) return item
  return { apiVersion: memberOf(list, 'apiVersion'), kind: kind.replace(/List$/, ''), ...item }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
