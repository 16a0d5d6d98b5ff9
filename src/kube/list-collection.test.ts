import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiClient, ApiReply } from './api-client.ts'
import { listCollection } from './list-collection.ts'

const things = { group: 'example.org', version: 'v1', plural: 'things' }

/** A server of 1,000 objects whose replies hold no more than so many. */
function serverOf(most: number): { readonly client: ApiClient; readonly asked: string[] } {
  const asked: string[] = []
  const client: ApiClient = {
    async request({ query = {} }): Promise<ApiReply> {
      const from = Number(query['continue'] ?? 0)
      const limit = Number(query['limit'])
      asked.push(`${from}+${limit}`)
      if (limit > most) return { kind: 'unreachable', text: 'too much', isTooLarge: true }
      const next = from + limit < 1000 ? { continue: String(from + limit) } : {}
      const items = Array.from({ length: Math.min(limit, 1000 - from) }, (_, index) => ({ metadata: { name: `n${from + index}` } }))
      return { kind: 'reply', status: 200, body: { metadata: { resourceVersion: '7', ...next }, items }, retryAfterMs: undefined }
    },
    stream: async () => ({ kind: 'unreachable', text: 'no streams here' }),
    close: async () => {},
  }
  return { client, asked }
}

test('a page that is too large is asked for again with fewer objects', async () => {
  const { signal } = new AbortController()
  for (const [most, first] of [
    [500, ['0+500', '500+500']],
    [300, ['0+500', '0+250', '250+250', '500+250', '750+250']],
    [1, ['0+500', '0+250', '0+125', '0+62', '0+31', '0+15', '0+7', '0+3', '0+1', '1+1', '2+1']],
  ] as const) {
    const { client, asked } = serverOf(most)
    const listed = await listCollection(client, things, signal)
    assert.ok(listed.kind === 'listed' && listed.objects.length === 1000 && new Set(listed.objects).size === 1000)
    assert.deepEqual(asked.slice(0, first.length), first)
  }
  const { client, asked } = serverOf(0)
  assert.deepEqual(await listCollection(client, things, signal), { kind: 'unreachable', text: 'too much', isTooLarge: true })
  assert.equal(asked.length, 9, 'one object that is too large ends it')
})
