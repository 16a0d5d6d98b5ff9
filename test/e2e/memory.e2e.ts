import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eras, openClient, openFlowing, room } from '../../src/gateway/flow-for-test.ts'
import { startGateway } from './gateway.ts'

const mib = 1024 * 1024
const bufferedMib = 64
const heldMib = 4

for (const era of eras)
  test(`256 streams of a ${era} server, each within an event of ${heldMib} MiB, leave the process's memory within bounds and others served`, {
    timeout: 240_000,
  }, async (t) => {
    const [server, good] = [await openFlowing(t, era), await openFlowing(t, era)]
    server.onCall = async ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"x":"')
      const piece = 'x'.repeat(64 * 1024)
      for (let sent = 0; sent < heldMib * mib && !response.destroyed; sent += piece.length) if (!response.write(piece)) await room(response)
    }
    const servers = `servers:\n  s: { http: "${server.url}", timeouts: { request: 200s } }\n  good: ${good.url}\n`
    const gateway = await startGateway(t, `${servers}limits: { buffered: ${bufferedMib}MiB }\n`)
    const metric = async (name: string) => {
      const { text } = await gateway.admin('/metrics')
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    }
    const [hostile, client] = [await openClient(gateway.port, era), await openClient(gateway.port, era, 'good_x')]
    const before = await metric('process_resident_memory_bytes')
    let over = 0
    for (let id = 0; id < 256; id++)
      void hostile.call({}, id).then(
        (reply) =>
          reply
            .on('end', () => over++)
            .on('error', () => {})
            .resume(),
        () => {},
      )
    let most = before
    const look = async (id: number) => {
      const reply = await client.call({}, id)
      assert.match((await reply.setEncoding('utf8').toArray()).join(''), /"text":"done"/)
      most = Math.max(most, await metric('process_resident_memory_bytes'))
    }
    // All that does not fit is given up, and what fits stays held.
    let looks = 0
    while (over < 256 - bufferedMib / heldMib) await look(looks++)
    await look(looks++)
    const held = await metric('mcplex_buffered_bytes')
    const grownMib = Math.round((most - before) / mib)
    t.diagnostic(
      `${looks} calls served, ${Math.round(held / mib)} MiB held; resident memory ${Math.round(before / mib)} MiB, then ${grownMib} MiB more`,
    )
    assert.ok(held > (bufferedMib / 2) * mib && held <= bufferedMib * mib, `${held}`)
    assert.ok(grownMib < 5 * bufferedMib, `${grownMib} MiB`)
    assert.equal(await metric('mcplex_buffered_limit_bytes'), bufferedMib * mib)
  })
