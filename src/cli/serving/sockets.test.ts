import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { type Config, parseConfig } from '../../config/config.ts'
import { makeAuthority, type TestCertificate } from '../../listen/certificate-for-test.ts'
import { speak } from '../../listen/speak-for-test.ts'
import { freePort } from '../demo/demo.ts'
import { createSockets, type Sockets, type SocketsOptions } from './sockets.ts'

const getRoot = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

function configOf(ports: readonly number[], headers: string): Config {
  const listeners = ports.map((port) => ({ name: `l${port}`, address: '127.0.0.1', port, protocol: 'HTTP', insecure: true }))
  const { config, problems } = parseConfig(JSON.stringify({ listeners, backends: {}, routes: [], limits: { headers } }), {
    env: {},
    readFile: () => '',
  })
  return config ?? assert.fail(JSON.stringify(problems))
}

async function open(
  t: TestContext,
  secret: SocketsOptions['secret'] = (text) => text,
  log: SocketsOptions['log'] = { warn() {} },
): Promise<{ readonly sockets: Sockets; readonly port: number; readonly taken: number }> {
  const first = 20_000 + Math.floor(Math.random() * 10_000)
  const taken = (await freePort(first)) ?? assert.fail()
  const blocker = createServer()
  await once(blocker.listen(taken, '127.0.0.1'), 'listening')
  const sockets = createSockets({
    onExchange: (exchange) => exchange.reply(200, {}, 'served'),
    onEdgeRefusal() {},
    secret,
    log,
  })
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
  assert.deepEqual(sockets.places(), [{ name: `l${port}`, address: '127.0.0.1', port, protocol: 'HTTP' }])
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

const authority = makeAuthority('Authority')
const shownBy = async (port: number): Promise<string> => {
  const socket = connectTls({ port, host: '127.0.0.1', ca: authority.cert })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return String(subject.CN)
}
const issued = (name: string) => authority.issue({ names: [name], alternativeNames: ['IP:127.0.0.1'] })

function secureConfigOf(port: number, pairs: readonly TestCertificate[], clientCa?: string): Config {
  const tls = { certificates: pairs, ...(clientCa === undefined ? {} : { clientCa }) }
  const listeners = [{ name: 'web', address: '127.0.0.1', port, protocol: 'HTTPS', insecure: true, tls }]
  // Parsed as plain HTTP, so that faults are found by the sockets alone.
  const config = configOf([port], small)
  return { ...config, listeners: listeners as Config['listeners'] }
}

test('a new certificate is shown to new connections, the old ones go on, and one that is no good leaves what is', async (t) => {
  const { sockets, port } = await open(t)
  assert.equal(await sockets.change(secureConfigOf(port, [issued('one')]), () => {}), undefined)
  assert.deepEqual(sockets.places(), [{ name: 'web', address: '127.0.0.1', port, protocol: 'HTTPS' }])
  const kept = await speak(port, getRoot, { ca: authority.cert })
  await kept.until((text) => text.endsWith('served'))
  const failure = await sockets.change(secureConfigOf(port, [{ cert: issued('two').cert, key: issued('three').key }]), () =>
    assert.fail('it was let in'),
  )
  assert.equal(failure?.kind, 'failed')
  assert.match(failure.text, /listener "web": tls\.certificates\[0\]: the key is not the key of the certificate/)
  assert.match(failure.hint ?? '', /certificate/)
  assert.equal(await shownBy(port), 'one')
  assert.equal(await sockets.change(secureConfigOf(port, [issued('two')]), () => {}), undefined)
  assert.equal(await shownBy(port), 'two')
  kept.socket.write(getRoot)
  await kept.until(() => kept.statuses().length === 2)
  kept.socket.destroy()
})

test('a socket that comes to speak otherwise is opened anew, and speaks as before where that is refused', async (t) => {
  const { sockets, port } = await open(t)
  const secure = secureConfigOf(port, [issued('one')])
  const asking = secureConfigOf(port, [issued('two')], authority.cert)
  assert.equal(await sockets.change(configOf([port], small), () => {}), undefined)
  assert.equal(await sockets.change(secure, () => {}), undefined)
  assert.equal(await shownBy(port), 'one')
  const letIn = () => {
    throw new Error('not let in')
  }
  for (const next of [configOf([port], small), asking]) {
    await assert.rejects(sockets.change(next, letIn), /not let in/)
    assert.equal(await shownBy(port), 'one')
  }
  assert.equal(await sockets.change(asking, () => {}), undefined)
  assert.equal(await shownBy(port), 'two')
  assert.equal(await sockets.change(configOf([port], small), () => {}), undefined)
  assert.equal(await statusOf(port, 1), 200)
})

test('a key that is gone is a failure that names its place', async (t) => {
  const { sockets, port } = await open(t, () => {
    throw new Error('unreadable-file: the secret names the file /x, which is gone')
  })
  const failure = await sockets.change(secureConfigOf(port, [issued('one')]), () => assert.fail('it was let in'))
  assert.equal(failure?.text, 'listener "web": tls.certificates[0]: unreadable-file: the secret names the file /x, which is gone')
})

test('an expired certificate is shown all the same, with a warning', async (t) => {
  const warnings: unknown[] = []
  const { sockets, port } = await open(t, undefined, {
    warn: (fields, msg) => warnings.push([fields['listener'], fields['certificate'], msg]),
  })
  const old = authority.issue({ names: ['old'], alternativeNames: ['IP:127.0.0.1'], days: [-2, -1] })
  assert.equal(await sockets.change(secureConfigOf(port, [old]), () => {}), undefined)
  assert.deepEqual(warnings, [['web', 'CN=old', 'clients will not take a certificate']])
  await assert.rejects(shownBy(port), { code: 'CERT_HAS_EXPIRED' })
})
