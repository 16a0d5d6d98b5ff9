import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createSecretCopy, digestOfDocument } from '../../config/config.ts'
import { type Arrival, bookmark, event, type FakeApi, openFakeApi, type Step } from '../../kube/fake-api-for-test.ts'
import { createMetrics, type ProcessLog } from '../../observe/observe.ts'
import { freePort } from '../demo/demo.ts'
import { type FollowSecretDeps, followSecret, type SecretFollowing } from './follow-secret.ts'

const encode = (text: string) => Buffer.from(text).toString('base64')
const inForce = 'the configuration is in force'
const refusal = 'the configuration is refused; what is in force stays'
const token = 'the token${HOME}$$'
const secret = Buffer.alloc(32, 7).toString('base64')
const parts = { 'sessions.keys': encode(JSON.stringify([{ id: 'a', secret }])), 'admin.token': encode(token) }

/** A document's text, told from others by the number in it. */
function documentOf(number: number, more: object = {}): string {
  return JSON.stringify({
    'mcplex.dev/version': '0.1.0',
    listeners: [{ name: 'http', address: '127.0.0.1', port: 0, protocol: 'HTTP' }],
    backends: { [`ns/b${number}`]: { servers: {} } },
    routes: [],
    ...more,
  })
}

function dataOf(text: string, more: object = {}) {
  return { 'config.json': encode(text), ...parts, ...more }
}

let revision = 1
function secretEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', data: object) {
  return event(type, 'g-mcplex', ++revision, { data })
}

/** Everything that there is, and that this is all. */
function initial(...datas: readonly object[]): Step {
  return (arrival) => arrival.send(...datas.map((data) => secretEvent('ADDED', data)), bookmark(++revision, true))
}

interface Line {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly msg: string
}

interface Proxy {
  readonly api: FakeApi
  readonly following: SecretFollowing
  readonly lines: readonly Line[]
  readonly folder: string
  until(isIt: (line: Line) => boolean): Promise<void>
  /** Resolves with the lines of these words once there are so many. */
  logged(msg: string, times?: number): Promise<readonly Line[]>
  /** What is at a path of the admin listener. */
  ask(path: string, bearer?: string): Promise<{ readonly status: number; readonly body: string }>
  /** `source` of `/status`. */
  source(): Promise<unknown>
  reloads(): Promise<string>
  /** The watch that the API server has last. */
  watch(n?: number): Promise<Arrival>
}

async function open(
  t: TestContext,
  steps: readonly Step[],
  more: Partial<FollowSecretDeps> & { readonly copy?: string } = {},
): Promise<Proxy> {
  const api = await openFakeApi(t, steps)
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  if (more.copy !== undefined) writeFileSync(join(folder, 'last-good.json'), more.copy)
  const lines: Line[] = []
  let wake = () => {}
  const write = (level: Line['level']) => (fields: Line['fields'], msg: string) => {
    lines.push({ level, fields, msg })
    wake()
  }
  const log: ProcessLog = {
    debug() {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    request() {},
    flush() {},
    configure() {},
    format: 'json',
    dropped: 0,
  }
  const port = await freePort(randomInt(20_000, 32_000))
  assert.ok(port)
  const following = followSecret(
    { namespace: 'ns', name: 'g-mcplex' },
    {
      client: api.client,
      log,
      metrics: createMetrics(),
      auditing: { open: () => assert.fail(), problemsOf: () => [] },
      lastGood: createSecretCopy(folder),
      say: ({ problems }) =>
        lines.push(
          ...problems.map(({ code, path, text }) => ({ level: 'error', fields: { code, path, text }, msg: 'a problem' }) as const),
        ),
      random: () => 0.01,
      patienceMs: 60_000,
      listeners: { admin: `127.0.0.1:${port}`, health: 'off' },
      ...more,
    },
  )
  t.after(async () => {
    await following.close()
    await following.current()?.stop({ delay: Promise.resolve(), graceMs: 0 })
    const said = JSON.stringify(lines)
    assert.ok(!said.includes('the token') && !said.includes(secret), said)
  })
  const until = async (isIt: (line: Line) => boolean, times = 1) => {
    while (lines.filter(isIt).length < times)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  const ask = (path: string, bearer = token) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      // A new connection each time: with a new token the listener is a new one.
      const options = { host: '127.0.0.1', port, path, agent: false, headers: { authorization: `Bearer ${bearer}` } }
      get(options, async (reply) => {
        resolve({ status: reply.statusCode ?? 0, body: (await reply.setEncoding('utf8').toArray()).join('') })
      }).on('error', reject)
    })
  return {
    api,
    following,
    lines,
    folder,
    until,
    async logged(msg, times = 1) {
      await until((line) => line.msg === msg, times)
      return lines.filter((line) => line.msg === msg)
    },
    ask,
    source: async () => JSON.parse((await ask('/status')).body).source,
    reloads: async () => [...(await ask('/metrics')).body.matchAll(/^mcplex_config_reloads_total.*$/gm)].join('\n'),
    watch: (n = 1) => api.arrival(n),
  }
}

const good = (text: string) => ({ digest: digestOfDocument(text), version: '0.1.0', isLastGood: false })

test('a start from the Secret: document, keys and token are in force, and a copy is kept', async (t) => {
  const text = documentOf(1)
  const { following, source, ask, logged, folder } = await open(t, [initial(dataOf(text))])
  const { gateway, places } = await following.first
  assert.deepEqual(Object.keys(gateway.config().backends), ['ns/b1'])
  assert.deepEqual(gateway.config().sessions.keys, [{ id: 'a', secret }])
  assert.equal((await fetch(`http://127.0.0.1:${places()[0]?.port}/`)).status, 404)
  assert.deepEqual(await source(), good(text))
  assert.deepEqual([(await ask('/status', 'other')).status, (await ask('/status', 'the token')).status], [401, 401])
  const { body } = await ask('/config')
  assert.ok(!body.includes('the token') && !body.includes(secret), body)
  await logged(inForce)
  await following.close()
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'last-good.json'), 'utf8')), dataOf(text))
})

test('a packed document', async (t) => {
  const text = documentOf(1)
  const { following, source } = await open(t, [initial({ 'config.json.gz': gzipSync(text).toString('base64'), ...parts })])
  await following.first
  assert.deepEqual(await source(), good(text))
})

test('a change is in force; what can’t be read, or is of a version with other keys, leaves it and is told', async (t) => {
  const { following, source, logged, watch, reloads, folder } = await open(t, [initial(dataOf(documentOf(1)))])
  const { gateway } = await following.first
  const { send } = await watch()
  send(secretEvent('MODIFIED', dataOf(documentOf(2))))
  await logged(inForce, 2)
  assert.deepEqual(await source(), good(documentOf(2)))

  send(secretEvent('MODIFIED', dataOf('{ hunter2')))
  await logged(refusal)
  const text = '`config.json` is no JSON'
  assert.deepEqual(await source(), { ...good(documentOf(2)), refused: { digest: digestOfDocument('{ hunter2'), version: '', text } })

  const newer = documentOf(3, { 'mcplex.dev/version': '9.0.0', novelty: {}, other: 1, third: 2, fourth: 3 })
  send(secretEvent('MODIFIED', dataOf(newer)))
  const [, line] = await logged(refusal, 2)
  const { refused, ...rest } = (await source()) as { refused: { digest: string; version: string; text: string } }
  assert.deepEqual(rest, good(documentOf(2)))
  assert.deepEqual([refused.digest, refused.version], [digestOfDocument(newer), '9.0.0'])
  assert.match(refused.text, /^novelty: there is no key `novelty` here; other: .*; third: .*; and 1 more$/)
  assert.equal(line?.fields['text'], refused.text)
  assert.deepEqual(Object.keys(gateway.config().backends), ['ns/b2'])
  assert.match(await reloads(), /applied"\} 1\n.*refused"\} 2$/)

  // Back to what is in force: there is nothing to refuse any more.
  send(secretEvent('MODIFIED', dataOf(documentOf(2))))
  await logged(inForce, 3)
  assert.deepEqual(await source(), good(documentOf(2)))
  await following.close()
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'last-good.json'), 'utf8')), dataOf(documentOf(2)))
})

test('a port that is taken changes nothing', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { following, source, logged, watch } = await open(t, [initial(dataOf(documentOf(1)))])
  await following.first
  const listeners = [{ name: 'http', address: '127.0.0.1', port, protocol: 'HTTP' }]
  ;(await watch()).send(secretEvent('MODIFIED', dataOf(documentOf(2, { listeners }))))
  const [line] = await logged(refusal)
  assert.match(String(line?.fields['text']), /is in use/)
  assert.equal(((await source()) as { digest: string }).digest, digestOfDocument(documentOf(1)))
})

test('a reload that is asked for puts what came last in force once more, or tries to', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { following, lines, source, logged, watch } = await open(t, [initial(dataOf(documentOf(1)))])
  await following.first
  const listeners = [{ name: 'http', address: '127.0.0.1', port, protocol: 'HTTP' }]
  const next = documentOf(2, { listeners })
  ;(await watch()).send(secretEvent('MODIFIED', dataOf(next)))
  await logged(refusal)
  assert.deepEqual(
    lines.filter(({ msg }) => msg === 'a problem').map(({ fields }) => fields['code']),
    ['port-in-use'],
  )
  await new Promise((resolve) => taken.close(resolve))
  following.reload()
  const [, line] = await logged('the configuration is in force', 2)
  assert.equal(line?.fields['changes'], 'listeners: ~http; backends: +ns/b2, -ns/b1')
  assert.equal(((await source()) as { digest: string }).digest, digestOfDocument(next))
})

test('a Secret that is deleted leaves what is in force; made again, it counts, with its new token', async (t) => {
  const { following, source, ask, logged, watch } = await open(t, [initial(dataOf(documentOf(1)))])
  const { gateway } = await following.first
  const { send } = await watch()
  send(secretEvent('DELETED', dataOf(documentOf(1))))
  await logged('the configuration is gone; what is in force stays')
  assert.deepEqual(await source(), good(documentOf(1)))
  const keys = [{ id: 'b', secret: Buffer.alloc(32, 8).toString('base64') }]
  const renewed = { 'sessions.keys': encode(JSON.stringify(keys)), 'admin.token': encode('renewed') }
  send(secretEvent('ADDED', renewed), secretEvent('MODIFIED', dataOf(documentOf(1), renewed)))
  await logged(inForce, 2)
  assert.deepEqual(gateway.config().sessions.keys, keys)
  assert.deepEqual([(await ask('/status')).status, (await ask('/status', 'renewed')).status], [401, 200])
})

test('the API server says nothing at the start: the copy is served, and later the Secret as it is then', async (t) => {
  const { following, source, logged, watch } = await open(t, [() => {}, initial(dataOf(documentOf(2)))], {
    copy: JSON.stringify(dataOf(documentOf(1))),
    patienceMs: 0,
  })
  await following.first
  assert.deepEqual(await source(), { ...good(documentOf(1)), isLastGood: true })
  ;(await watch()).reset()
  await logged(inForce)
  assert.deepEqual(await source(), good(documentOf(2)))
})

test('the same document that the copy has is not the copy’s any more once the Secret says it', async (t) => {
  const { following, source, logged, watch } = await open(t, [() => {}, initial(dataOf(documentOf(1)))], {
    copy: JSON.stringify(dataOf(documentOf(1))),
    patienceMs: 0,
  })
  await following.first
  ;(await watch()).reset()
  await logged(inForce)
  assert.deepEqual(await source(), good(documentOf(1)))
})

test('a Secret that comes in time counts before the copy', async (t) => {
  const { following, source, lines } = await open(t, [initial(dataOf(documentOf(2)))], { copy: JSON.stringify(dataOf(documentOf(1))) })
  await following.first
  assert.deepEqual(await source(), good(documentOf(2)))
  assert.ok(!lines.some(({ msg }) => msg.includes('copy')))
})

const waiting = 'there is nothing to serve: waiting for a configuration'

test('without a copy it waits for as long as it takes, and says each reason once', async (t) => {
  const forbid: Step = (arrival) => arrival.reply(403, { message: 'secrets is forbidden' })
  const { following, source, logged, watch } = await open(t, [() => {}, forbid, (arrival) => arrival.reset(), forbid, initial()], {
    patienceMs: 0,
  })
  await logged(waiting)
  ;(await watch()).reset()
  const whys = (await logged(waiting, 4)).map(({ fields }) => String(fields['why']))
  for (const [index, expected] of [
    /has not answered/,
    /closed|ECONNRESET/,
    /403: secrets is forbidden/,
    /there is no such Secret/,
  ].entries())
    assert.match(whys[index] ?? '', expected)
  ;(await watch(5)).send(secretEvent('ADDED', dataOf(documentOf(1))))
  await following.first
  assert.deepEqual(await source(), good(documentOf(1)))
  assert.equal((await logged(waiting)).length, 4)
})

test('nothing to serve and a signal: it ends', async (t) => {
  const { following, logged } = await open(t, [], { patienceMs: 0 })
  await logged(waiting)
  await following.close()
  assert.equal(following.current(), undefined)
})

test('a copy that is none is said, and the Secret is waited for', async (t) => {
  for (const copy of ['hunter2', '{}', JSON.stringify(dataOf('{'))]) {
    const { following, source, logged, watch } = await open(t, [], { copy, patienceMs: 0 })
    await logged("the copy of what was in force last can't be served")
    await logged(waiting)
    initial(dataOf(documentOf(1)))(await watch())
    await following.first
    assert.deepEqual(await source(), good(documentOf(1)))
  }
})

test('a first document that is bad: the copy is served at once', async (t) => {
  const { following, source, logged, watch } = await open(t, [initial(dataOf('{'))], { copy: JSON.stringify(dataOf(documentOf(1))) })
  await following.first
  const refused = { digest: digestOfDocument('{'), version: '', text: '`config.json` is no JSON' }
  assert.deepEqual(await source(), { ...good(documentOf(1)), isLastGood: true, refused })
  ;(await watch()).send(secretEvent('MODIFIED', dataOf(documentOf(2))))
  await logged(inForce)
  assert.deepEqual(await source(), good(documentOf(2)))
})

test('a first document that is bad, and no copy: a better one is waited for', async (t) => {
  const { following, source, logged, watch } = await open(t, [initial(dataOf('{'))])
  await logged('the configuration is refused')
  await logged(waiting)
  ;(await watch()).send(secretEvent('MODIFIED', dataOf(documentOf(2))))
  await following.first
  assert.deepEqual(await source(), good(documentOf(2)))
})

test('of quick changes those that are put in force are in order, and the newest is the last', async (t) => {
  const { following, source, until, lines, watch } = await open(t, [initial(dataOf(documentOf(0)))])
  await following.first
  const texts = Array.from({ length: 20 }, (_, index) => documentOf(index + 1, index % 3 === 0 ? { novelty: 1 } : {}))
  ;(await watch()).send(...texts.map((text) => secretEvent('MODIFIED', dataOf(text))))
  const order = texts.map(digestOfDocument)
  await until(({ fields }) => fields['digest'] === order[19])
  const taken = lines.flatMap(({ msg, fields }) => (msg === inForce ? [order.indexOf(String(fields['digest']))] : []))
  assert.deepEqual(
    taken,
    taken.toSorted((one, other) => one - other),
  )
  assert.deepEqual(await source(), good(texts[19] ?? ''))
})

test('a folder that can’t be written is said once and is no end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), '')
  const { following, logged, lines, watch } = await open(t, [initial(dataOf(documentOf(1)))], {
    lastGood: createSecretCopy(join(folder, 'file')),
  })
  await logged('no copy of what is in force is kept')
  ;(await watch()).send(secretEvent('MODIFIED', dataOf(documentOf(2))))
  await logged(inForce, 2)
  await following.close()
  assert.equal(lines.filter(({ msg }) => msg.startsWith('no copy')).length, 1)
})
