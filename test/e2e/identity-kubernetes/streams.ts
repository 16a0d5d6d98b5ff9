import assert from 'node:assert/strict'
import { firstRequests, type Headers, open } from '../identity/eras.ts'
import { allOf, modernPost, sessionRequest } from '../setup/mcp-post.ts'

/** Opens a stream of each era that is about changes, and gives their ends: as HTTP has an end, not a broken connection. */
export async function openStreams(url: string, headers: Headers): Promise<readonly Promise<unknown>[]> {
  const opened = await open(url, firstRequests.legacy, headers)
  await allOf(opened)
  assert.ok(opened.session !== undefined, `no session: ${opened.status}`)
  const legacy = await open(url, sessionRequest('GET', opened.session), headers)
  const modern = await open(url, modernPost(1, 'subscriptions/listen', { notifications: { toolsListChanged: true } }), headers)
  assert.deepEqual([legacy.status, modern.status], [200, 200])
  const { value } = await modern.messages.next()
  assert.equal(value?.method, 'notifications/subscriptions/acknowledged')
  return [legacy, modern].map(allOf)
}
