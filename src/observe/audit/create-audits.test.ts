import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Log } from '../log/log.ts'
import { goodCall } from '../records/record-for-test.ts'
import type { TextStream } from '../records/records.ts'
import { createChainCheck } from './check-chain.ts'
import { createAudit, createAudits } from './create-audits.ts'
import type { AuditEntry } from './entry.ts'
import type { AuditSettings, AuditSinkSettings } from './settings.ts'

const key = new Uint8Array(32).fill(7)

const entry: AuditEntry = {
  record: goodCall,
  sourceAddress: '192.0.2.1',
  issuer: 'https://issuer.example',
  subject: 'a-1',
  actors: [],
  rule: { place: 'policies.authorize.allow[0]', text: 'true' },
  args: '{"a":1}',
}

const settingsFor = (...sinks: readonly AuditSinkSettings[]): AuditSettings => ({
  sinks,
  chain: true,
  whenFull: 'refuse',
  arguments: false,
  redact: [],
  key,
  isKeyLasting: true,
})

function setUp(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'mcplex-audit-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const said: string[] = []
  const say = (fields: Readonly<Record<string, unknown>>, msg: string) => said.push(`${msg} ${JSON.stringify(fields)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say, request() {}, flush() {}, dropped: 0 }
  const stdout = {
    text: '',
    on() {},
    write(text: string, done?: () => void) {
      stdout.text += text
      if (done) setImmediate(done)
    },
  } satisfies TextStream & { text: string }
  return { dir, path: join(dir, 'audit.jsonl'), said, deps: { now: () => 0, log, stdout } }
}

function faultsIn(text: string, keys: readonly Uint8Array[] = [key]): readonly string[] {
  const check = createChainCheck({ keys, after: undefined })
  const faults = text
    .split('\n')
    .slice(0, -1)
    .map((line) => check.line(Buffer.from(line), true)?.kind)
  return [...faults, ...check.end().endFaults.map(({ kind }) => kind)].filter((kind) => kind !== undefined)
}

const linesIn = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('every sink gets every record, each as a chain of its own', async (t) => {
  const { path, deps } = setUp(t)
  const file = { kind: 'file', path } as const
  for (let run = 0; run < 2; run++) {
    const audit = createAudit(settingsFor(file, { kind: 'stdout' }, file), deps)
    for (let i = 0; i < 100; i++) audit.write(entry)
    await audit.close(5000)
    assert.deepEqual([audit.isOpen, audit.dropped], [true, 0])
  }
  const text = readFileSync(path, 'utf8')
  assert.deepEqual([linesIn(text).length, linesIn(text).at(-1)?.['seq'], faultsIn(text)], [200, 200, []])
  const [first, second] = [deps.stdout.text.slice(0, deps.stdout.text.length / 2), deps.stdout.text.slice(deps.stdout.text.length / 2)]
  assert.deepEqual([linesIn(deps.stdout.text).length, linesIn(deps.stdout.text).at(-1)?.['seq']], [200, 100])
  assert.deepEqual([faultsIn(first ?? ''), faultsIn(second ?? '')], [[], []])
})

test('a key that ends with the process makes plain digests, which anybody can verify; without a chain there are none', async (t) => {
  const { path, dir, deps } = setUp(t)
  const plain = createAudit({ ...settingsFor({ kind: 'file', path }), isKeyLasting: false }, deps)
  const bare = createAudit({ ...settingsFor({ kind: 'file', path: join(dir, 'bare') }), chain: false }, deps)
  for (const audit of [plain, bare]) {
    audit.write(entry)
    audit.write(entry)
    await audit.close(5000)
  }
  assert.deepEqual(faultsIn(readFileSync(path, 'utf8'), []), [])
  assert.match(String(linesIn(readFileSync(path, 'utf8'))[0]?.['digest']), /^sha256:/)
  for (const record of linesIn(readFileSync(join(dir, 'bare'), 'utf8'))) assert.equal(Object.keys(record).at(-1), 'argumentsDigest')
})

test('audits of one process share a file and its chain, and the next goes on while the last one ends', async (t) => {
  const { path, deps, said } = setUp(t)
  const audits = createAudits(deps)
  const old = audits.open(settingsFor({ kind: 'file', path }))
  old.write(entry)
  const next = audits.open({ ...settingsFor({ kind: 'file', path }), arguments: true })
  for (let i = 0; i < 50; i++) {
    old.write(entry)
    next.write(entry)
  }
  await old.close(5000)
  next.write(entry)
  audits.flush()
  next.write(entry)
  await next.close(5000)
  const text = readFileSync(path, 'utf8')
  assert.deepEqual([linesIn(text).length, faultsIn(text), said, audits.dropped], [103, [], [], 0])
})

test('a request that ends after the close is still recorded, in the same chain', async (t) => {
  const { path, deps, said } = setUp(t)
  const audits = createAudits(deps)
  const old = audits.open(settingsFor({ kind: 'file', path }))
  old.write(entry)
  await old.close(5000)
  old.write(entry)
  const next = audits.open({ ...settingsFor({ kind: 'file', path }), key: new Uint8Array(32).fill(8) })
  next.write(entry)
  old.write(entry)
  await old.close(5000)
  old.write(entry)
  next.write(entry)
  await Promise.all([old.close(5000), next.close(5000), next.close(5000)])
  old.write(entry)
  audits.flush()
  await old.close(5000)
  const text = readFileSync(path, 'utf8')
  assert.deepEqual([linesIn(text).length, faultsIn(text, [key, new Uint8Array(32).fill(8)]), said, audits.dropped], [7, [], [], 0])
})

test('while a folder is missing, requests are refused or served as the settings say, and nothing is lost that fits', async (t) => {
  const { dir, deps, said } = setUp(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const path = join(dir, 'logs/audit.jsonl')
  const audits = createAudits(deps)
  const strict = audits.open(settingsFor({ kind: 'file', path }))
  const lax = audits.open({ ...settingsFor({ kind: 'file', path }), whenFull: 'drop' })
  await turn()
  assert.deepEqual([strict.isOpen, lax.isOpen], [false, true])
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /^audit records are not taken: requests are refused until they are .*logs\/audit\.jsonl.*ENOENT/)
  for (let i = 0; i < 4000; i++) strict.write(entry)
  mkdirSync(join(dir, 'logs'))
  t.mock.timers.tick(1000)
  while (!strict.isOpen) await turn()
  t.mock.timers.reset()
  await Promise.all([strict.close(5000), lax.close(5000)])
  const text = readFileSync(path, 'utf8')
  assert.deepEqual([linesIn(text).length, faultsIn(text), audits.dropped, said.length], [4000, [], 0, 2])
})

test('what could not be delivered by the end is counted', async (t) => {
  const { deps, said, dir } = setUp(t)
  const audits = createAudits(deps)
  const audit = audits.open(settingsFor({ kind: 'file', path: join(dir, 'none/a') }))
  audit.write(entry)
  audit.flush()
  await audit.close(1)
  assert.deepEqual([audit.dropped, audits.dropped], [1, 1])
  assert.match(said.at(-1) ?? '', /audit records are lost/)
})

test('flush leaves what is gathered in the file before it returns', async (t) => {
  const { path, deps } = setUp(t)
  const audit = createAudit(settingsFor({ kind: 'file', path }), deps)
  for (let i = 0; i < 200; i++) audit.write(entry)
  audit.flush()
  const flushed = readFileSync(path, 'utf8')
  assert.deepEqual([linesIn(flushed).length, faultsIn(flushed)], [200, []])
  await turn()
  audit.write(entry)
  await audit.close(5000)
  assert.deepEqual(faultsIn(readFileSync(path, 'utf8')), [])
  assert.equal(linesIn(readFileSync(path, 'utf8')).length, 201)
})

test('100,000 records to a file and to a reader that has stopped stay in bounded memory', async (t) => {
  const { path, deps } = setUp(t)
  const stuck: TextStream = { on() {}, write() {} }
  const audit = createAudit(
    { ...settingsFor({ kind: 'file', path }, { kind: 'stdout' }), whenFull: 'drop', arguments: true },
    { ...deps, stdout: stuck },
  )
  const request = 'x'.repeat(100_000)
  for (let i = 0; i < 100_000; i++) {
    // A slice of a large request must not keep it.
    const args = i % 100 === 0 ? `${request}{"a":"0123456789abcdef"}`.slice(100_000) : '{"a":1}'
    audit.write({ ...entry, args })
    if (i % 500 === 0) await turn()
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  assert.ok(arrayBuffers + heapUsed < 120 * 1024 * 1024, `${arrayBuffers} ${heapUsed}`)
  assert.ok(audit.dropped > 90_000)
  await audit.close(1)
  assert.deepEqual(faultsIn(readFileSync(path, 'utf8')), [])
})
