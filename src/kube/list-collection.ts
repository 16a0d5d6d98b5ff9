import type { ApiClient, ApiReply } from './api-client.ts'
import { memberOf } from './api-status.ts'
import { type Collection, pathOf, selectorOf } from './collection.ts'

/** `revision`: from where a watch goes on. */
export type Listed = { readonly kind: 'listed'; readonly objects: readonly unknown[]; readonly revision: string } | ApiReply

const pageSize = 500
const pageMs = 30_000

/** All objects of a collection, page by page as of one moment, or the first reply that is no page. */
export async function listCollection(client: ApiClient, collection: Collection, signal: AbortSignal): Promise<Listed> {
  const objects: unknown[] = []
  const query = { ...selectorOf(collection), limit: String(pageSize) }
  let next: string | undefined
  for (;;) {
    const reply = await client.request({
      method: 'GET',
      path: pathOf(collection),
      query: next === undefined ? query : { ...query, continue: next },
      timeoutMs: pageMs,
      signal,
    })
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
