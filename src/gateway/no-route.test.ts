import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import type { RequestRecord } from '../observe/observe.ts'
import { configOf, openGateway, silentLog } from './open-for-test.ts'

test('the record of a request that no route takes has its path, without the query and cut; that of another has none', async (t) => {
  const records: RequestRecord[] = []
  const log = { ...silentLog, request: (record: RequestRecord) => void records.push(record) }
  const { port, close } = await openGateway(configOf('servers: {}'), openListener, { log })
  t.after(close)
  const long = `/${'x'.repeat(500)}`
  const paths = ['/elsewhere?token=hunter2', '/mcp/sse', long, '/.well-known/oauth-protected-resource/mcp', '/mcp']
  for (const path of paths) await (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  assert.deepEqual(
    records.map(({ reason, path }) => [reason, path]),
    [
      ['no-route', '/elsewhere'],
      ['no-route', '/mcp/sse'],
      ['no-route', long.slice(0, 200)],
      ['no-route', '/.well-known/oauth-protected-resource/mcp'],
      ['bad-request', undefined],
    ],
  )
})
