import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Config, parseConfig } from '../config/config.ts'
import { freePort } from './free-port.ts'
import { createSockets, type Sockets } from './sockets.ts'

function configOf(ports: readonly number[], headers: string): Config {
  const listeners = ports.map((port) => ({ name: `l${port}`, address: '127.0.0.1', port, protocol: 'HTTP', insecure: true }))
  const { config, problems } = parseConfig(JSON.stringify({ listeners, backends: {}, routes: [], limits: { headers } }), {
    env: {},
    readFile: () => '',
  })
  return config ?? assert.fail(JSON.stringify(problems))
}

async function open(t: TestContext): Promise<{ readonly sockets: Sockets; readonly port: number; readonly taken: number }> {
  const first = 20_000 + Math.floor(Math.random() * 10_000)
  const taken = (await freePort(first)) ?? assert.fail()
  const blocker = createServer()
  await once(blocker.listen(taken, '127.0.0.1'), 'listening')
  const sockets = createSockets({ onExchange: (exchange) => exchange.reply(200, {}, 'served'), onEdgeRefusal() {} })
  t.after(async () => {
    await sockets.drain(0)
    blocker.close()
  })
  return { sockets, port: (await freePort(first + 100)) ?? assert.fail(), taken }
}

const statusOf = async (port: number, headerBytes: number) =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-long': 'x'.repeat(headerBytes) } })).status
/** More than a socket has room for unless it was opened with them. */
const large = '128KiB/100'
const small = '16KiB/100'

test('a change that is refused leaves what is open, also what would have to be opened anew for larger headers', async (t) => {
  const { sockets, port, taken } = await open(t)
  assert.equal(await sockets.change(configOf([port], small), () => {}), undefined)
  const failure = await sockets.change(configOf([port, taken], large), () => assert.fail('it was let in'))
  assert.equal(failure?.kind, 'port-in-use')
  assert.deepEqual(sockets.places(), [{ name: `l${port}`, address: '127.0.0.1', port }])
  assert.deepEqual([await statusOf(port, 1), await statusOf(port, 20_000)], [200, 431])
})

test('larger headers than a socket has room for are taken once it has been opened anew', async (t) => {
  const { sockets, port } = await open(t)
  assert.equal(await sockets.change(configOf([port], small), () => {}), undefined)
  const letIn = () => {
    throw new Error('not let in')
  }
  await assert.rejects(sockets.change(configOf([port], large), letIn), /not let in/)
  assert.deepEqual([await statusOf(port, 1), await statusOf(port, 20_000)], [200, 431])
  assert.equal(await sockets.change(configOf([port], large), () => {}), undefined)
  assert.equal(await statusOf(port, 100_000), 200)
})
