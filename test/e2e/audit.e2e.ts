import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type House, openHouse } from './audit/house.ts'
import { type AuditRecord, assertGood, recordsIn, verify } from './audit/records.ts'
import { happenings } from './audit/requests.ts'
import { startMcplex, temporaryDirectory, untilReady } from './gateway.ts'
import { randomKey } from './setup/canaries.ts'
import { type HostileServer, startHostileServer } from './setup/hostile-server.ts'
import { type Asked, type KeptReply, keepReplies } from './setup/kept-replies.ts'
import { modernPost } from './setup/mcp-post.ts'
import { need } from './setup/part.ts'
import { startOnSmallDisk } from './setup/small-disk.ts'
import { until } from './setup/wait.ts'
import { type Ports, serveDocument } from './setup/whole-document.ts'

test('each request has one record: who, what, what became of it, and the rule that decided', { timeout: 120_000 }, async (t) => {
  const house = await openHouse(t)
  const { file, key } = house
  const replies = keepReplies()
  const table = await happenings(house, replies)
  const settled = () =>
    until('the first record', async () => {
      const { length } = await recordsIn(file)
      return length > 0 ? length : undefined
    })
  let count: number = await settled()
  const seen: AuditRecord[] = []
  for (const { name, happen, status, records } of table) {
    await t.test(name, async () => {
      assert.equal(await happen(), status, replies.said.at(-1)?.text ?? '')
      const all = await until(`${records.length} records`, async () => {
        const found = await recordsIn(file)
        return found.length >= count + records.length ? found : undefined
      })
      const made = all.slice(count)
      count = all.length
      seen.push(...made)
      assert.deepEqual(
        made.map((record, i) => pick(record, Object.keys(records[i] ?? {}))),
        records.map((record) => ({ ...record })),
        JSON.stringify(made, undefined, 1),
      )
      for (const record of made) assertWhole(record)
      assert.equal(new Set(made.map(({ requestId }) => requestId)).size, 1, 'one request')
    })
  }
  await t.test('none has two, and none has none', async () => {
    house.serving.child.kill('SIGTERM')
    const { code, stderr } = await house.serving.child.finished
    assert.equal(code, 0)
    const records = await recordsIn(file)
    assert.equal(records.length, count, 'nothing came later')
    const requests = new Set(records.map(({ requestId }) => requestId))
    assert.equal(requests.size, 1 + table.length)
    assert.deepEqual(requests, new Set(loggedIds(stderr)), 'the log and the records are of the same requests')
    await assertGood([file], key, records.length)
  })
  await t.test('verify finds what was changed afterwards', () => assertFound(t, house))
})

/** The members of a record that a row speaks of; of the rule its place, of the digest of arguments that it is there. */
function pick(record: AuditRecord, names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    names.map((name) => {
      if (name === 'hasDigest') return [name, typeof record['argumentsDigest'] === 'string']
      const rule = record['rule'] as { readonly place: string } | undefined
      return [name, name === 'rule' && rule !== undefined ? { place: rule.place } : record[name]]
    }),
  )
}

/** What every record has. */
function assertWhole(record: AuditRecord): void {
  const { type, time, durationMs, requestId, seq, prev, digest, sourceAddress } = record
  assert.equal(type, 'audit')
  assert.equal(sourceAddress, '127.0.0.1')
  assert.ok(!Number.isNaN(Date.parse(String(time))))
  assert.ok(typeof durationMs === 'number' && durationMs >= 0)
  assert.match(requestId, /^[0-9a-f]{12}-\d+$/)
  assert.ok(Number.isInteger(seq))
  assert.match(`${prev} ${digest}`, /^(hmac-sha256:)?[0-9a-f]{64} hmac-sha256:[0-9a-f]{64}$/)
}

/** Ids of requests in the log, those too that were refused before they were understood. */
function loggedIds(log: string): readonly string[] {
  const lines = log.split('\n').filter((line) => line.includes('"msg":"request"') || line.includes('"msg":"refused at the edge"'))
  return lines.map((line) => (JSON.parse(line) as { readonly requestId: string }).requestId)
}

async function assertFound(t: TestContext, { file, key }: House): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  const directory = await temporaryDirectory(t)
  const [line = '', next = ''] = lines.slice(10)
  const changes: readonly { readonly kind: string; readonly lines: readonly string[] }[] = [
    { kind: 'altered', lines: lines.with(10, line.replace('"outcome":"', '"outcome":"x')) },
    { kind: 'altered', lines: lines.with(10, line.replace(/"time":"\d/, '"time":"3')) },
    { kind: 'removed', lines: lines.toSpliced(10, 1) },
    { kind: 'reordered', lines: lines.with(10, next).with(11, line) },
    { kind: 'doubled', lines: lines.toSpliced(10, 0, line) },
    { kind: 'inserted', lines: lines.toSpliced(10, 0, '{"type":"audit"}') },
    { kind: 'removed', lines: lines.slice(1) },
  ]
  const verdicts = changes.map(async ({ kind, lines }, at) => {
    const changed = join(directory, `${at}.jsonl`)
    await writeFile(changed, `${lines.join('\n')}\n`)
    return { kind, verdict: await verify([changed], key) }
  })
  for (const { kind, verdict } of await Promise.all(verdicts)) {
    const isNamed = verdict.faults.some((fault) => fault.kind === kind && fault.line <= 12)
    assert.deepEqual([verdict.code, isNamed], [1, true], `${kind}: ${JSON.stringify(verdict.faults)}`)
  }
}

const plainDocument =
  (server: HostileServer, audit: string) =>
  ({ port, adminPort }: Ports) =>
    `listen: 127.0.0.1:${port}\nadmin: { listen: "127.0.0.1:${adminPort}" }\nservers: { vault: ${server.url} }\npolicies: { audit: ${audit} }\n`

/** A call with an argument of so many characters. */
function greeting(chars = 10): Asked {
  return { ...modernPost(1, 'tools/call', { name: 'vault_greet', arguments: { message: 'x'.repeat(chars) } }), path: '/mcp' }
}

/** Calls by so many clients at once until it says that it is enough; gives the replies. */
async function callUntil(
  port: number,
  isEnough: (replies: readonly KeptReply[]) => boolean,
  asked = greeting(),
): Promise<readonly KeptReply[]> {
  const replies: KeptReply[] = []
  const { ask } = keepReplies()
  const client = async () => {
    while (!isEnough(replies)) replies.push(await ask('call', port, asked))
  }
  await Promise.all(Array.from({ length: 8 }, client))
  return replies
}

const statuses = (replies: readonly KeptReply[]) => [...new Set(replies.map(({ status }) => status))].sort()

test('a file that is moved away under load: nothing is lost, and the files are one chain', { timeout: 120_000 }, async (t) => {
  const key = randomKey()
  const server = await startHostileServer(t)
  const { child, port, directory } = await serveDocument(t, plainDocument(server, `{ sinks: [{ file: audit.jsonl }], key: "${key}" }`))
  const file = join(directory, 'audit.jsonl')
  const old = [1, 2, 3].map((n) => `${file}.${n}`)
  let isMoved = false
  const calling = callUntil(port, () => isMoved)
  for (const name of old) {
    await until('records to be in it', async () => ((await recordsIn(file)).length > 0 ? true : undefined))
    await rename(file, name)
  }
  await until('records to be in the last one', async () => ((await recordsIn(file)).length > 0 ? true : undefined))
  isMoved = true
  const replies = await calling
  assert.deepEqual(statuses(replies), [200])
  child.kill('SIGTERM')
  assert.equal((await child.finished).code, 0)
  const counts = await Promise.all([...old, file].map(async (name) => (await recordsIn(name)).length))
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    replies.length,
    counts.join(),
  )
  await assertGood([...old, file], key, replies.length)
})

test('SIGTERM right behind the last replies: all records are in the file', { timeout: 60_000 }, async (t) => {
  const key = randomKey()
  const server = await startHostileServer(t)
  const { child, port, directory } = await serveDocument(t, plainDocument(server, `{ sinks: [{ file: audit.jsonl }], key: "${key}" }`))
  const replies = await callUntil(port, ({ length }) => length >= 200)
  child.kill('SIGTERM')
  assert.equal((await child.finished).code, 0)
  assert.deepEqual(statuses(replies), [200])
  await assertGood([join(directory, 'audit.jsonl')], key, replies.length)
})

test('SIGKILL under load: what is in the file is good, and the next start goes on behind it', { timeout: 60_000 }, async (t) => {
  const key = randomKey()
  const server = await startHostileServer(t)
  const {
    child,
    port,
    adminPort,
    directory,
    file: document,
  } = await serveDocument(t, plainDocument(server, `{ sinks: [{ file: audit.jsonl }], key: "${key}" }`))
  const file = join(directory, 'audit.jsonl')
  const calling = callUntil(port, () => !child.isRunning).catch(() => undefined)
  await until('records to be in the file', async () => ((await recordsIn(file)).length >= 100 ? true : undefined))
  child.kill('SIGKILL')
  await child.finished
  await calling
  const before = await recordsIn(file)
  const { faults, records } = await verify([file], key)
  // A line of which the process had no time to write the rest.
  assert.deepEqual(
    faults.filter(({ kind, line }) => kind !== 'torn' || line !== before.length + 1),
    [],
  )
  assert.equal(records, before.length)
  const again = startMcplex(t, ['run', '--config', document])
  await untilReady(again, async () => ((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok ? true : undefined))
  await callUntil(port, ({ length }) => length >= 1)
  again.kill('SIGTERM')
  await again.finished
  const after = await verify([file], key)
  assert.deepEqual(after.faults, faults)
  assert.ok(after.records > before.length)
})

test('a full disk', { timeout: 240_000 }, async (t) => {
  await t.test('refuse: 503 until there is room; nothing is lost', async (t) => {
    const key = randomKey()
    const server = await startHostileServer(t)
    const started = await startOnSmallDisk(t, (ports, disk) =>
      plainDocument(server, `{ sinks: [{ file: "${disk}/audit.jsonl" }], key: "${key}", whenFull: refuse }`)(ports),
    )
    const small = await need(t, Promise.resolve(started))
    if (small === undefined) return
    const { child, port, disk } = small
    const replies = [...(await callUntil(port, ({ length }) => length >= 20))]
    assert.deepEqual(statuses(replies), [200])
    const file = join(disk, 'audit.jsonl')
    await recorded(file, replies.length)
    await small.fill(8192)
    replies.push(...(await callUntil(port, (all) => all.filter(({ status }) => status === 503).length >= 20)))
    assert.deepEqual(statuses(replies), [200, 503])
    for (const { status, headers, body } of replies) {
      if (status !== 503) continue
      assert.ok(Number(headers['retry-after']) > 0, JSON.stringify(headers))
      assert.match(body, /record of requests/)
    }
    const called = server.heard.filter((headers) => headers['mcp-name'] === 'greet').length
    assert.equal(called, replies.filter(({ status }) => status === 200).length, 'what is refused reaches no server')
    assert.ok(child.isRunning)
    await small.empty()
    await until('requests to be served again', async () => {
      const reply = await keepReplies().ask('call', port, greeting())
      replies.push(reply)
      return reply.status === 200 ? true : undefined
    })
    await recorded(file, replies.length)
    await assertGood([file], key, replies.length)
    assert.match(child.stderr(), /requests are refused until they are[\s\S]*taken again/)
    assert.equal(await lostBy(small.adminPort), 0)
  })

  await t.test('drop: served on, and what is lost is counted', async (t) => {
    const key = randomKey()
    const server = await startHostileServer(t)
    const started = await startOnSmallDisk(t, (ports, disk) =>
      plainDocument(server, `{ sinks: [{ file: "${disk}/audit.jsonl" }], key: "${key}", whenFull: drop, arguments: true }`)(ports),
    )
    const small = await need(t, Promise.resolve(started))
    if (small === undefined) return
    const { child, port, disk, adminPort } = small
    const replies = [...(await callUntil(port, ({ length }) => length >= 20))]
    const file = join(disk, 'audit.jsonl')
    await recorded(file, replies.length)
    await small.fill(16_384)
    replies.push(...(await callUntil(port, ({ length }) => length >= 150, greeting(20_000))))
    await until('some to be lost', async () => ((await lostBy(adminPort)) > 0 ? true : undefined))
    assert.deepEqual(statuses(replies), [200])
    assert.ok(child.isRunning)
    assert.match(child.stderr(), /audit records are not taken: the oldest are lost/)
    await small.empty()
    await until('records to be taken again', () => (child.stderr().includes('taken again') ? true : undefined))
    replies.push(...(await callUntil(port, ({ length }) => length >= 10)))
    const records = await until('all that is not lost to be recorded', async () => {
      const found = await recordsIn(file)
      const lost = found.reduce((sum, record) => sum + (record.lost ?? 0), 0)
      return found.length + lost >= replies.length ? found : undefined
    })
    const lost = records.reduce((sum, record) => sum + (record.lost ?? 0), 0)
    assert.deepEqual([records.length + lost, await lostBy(adminPort)], [replies.length, lost])
    const verdict = await verify([file], key)
    assert.deepEqual({ code: verdict.code, faults: verdict.faults, lost: verdict.lost }, { code: 0, faults: [], lost })
    const said =
      child
        .stderr()
        .split('\n')
        .find((line) => line.includes('taken again')) ?? ''
    assert.equal((JSON.parse(said) as { readonly lost: number }).lost, lost)
  })
})

/** Waits until so many records are in the file, so that no write is under way. */
function recorded(file: string, count: number): Promise<true> {
  return until(`${count} records`, async () => ((await recordsIn(file)).length >= count ? true : undefined))
}

async function lostBy(adminPort: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  const value = /^mcplex_audit_lost_records_total(?:\{\})? (\d+)$/m.exec(text)?.[1]
  assert.ok(value !== undefined, text)
  return Number(value)
}
