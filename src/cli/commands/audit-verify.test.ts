import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type AuditEntry, createAudit, type Log } from '../../observe/observe.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { type AuditVerifyOptions, auditVerify } from './audit-verify.ts'

const key = Buffer.alloc(32, 7)
const base64 = key.toString('base64')
const log: Log = { debug() {}, info() {}, warn() {}, error() {}, request() {}, flush() {}, dropped: 0 }
const entry = {
  record: { requestId: 'r1', method: 'tools/call', outcome: 'ok', httpStatus: 200, durationMs: 1, bytesIn: 1, bytesOut: 1 },
  sourceAddress: '192.0.2.1',
  actors: [],
} as unknown as AuditEntry

async function folder(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'mcplex-verify-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'audit.jsonl')
  const write = async (count: number, isKeyLasting = true) => {
    const audit = createAudit(
      { sinks: [{ kind: 'file', path }], chain: true, whenFull: 'refuse', arguments: false, redact: [], key, isKeyLasting },
      { now: () => 0, log, stdout: { write() {}, on() {} } },
    )
    for (let i = 0; i < count; i++) audit.write(entry)
    await audit.close(5000)
  }
  return { dir, path, write }
}

async function verify(files: readonly string[], options: AuditVerifyOptions = { key: [base64] }, output: 'text' | 'json' = 'text') {
  const written = { stdout: '', stderr: '' }
  const outputTo = (name: keyof typeof written) => ({ write: (text: string) => (written[name] += text), on() {} })
  const terminal: Terminal = { stdout: outputTo('stdout'), stderr: outputTo('stderr'), env: {}, cwd: () => '/', on() {}, exit() {} }
  return { code: await auditVerify(files, options, output, terminal), ...written }
}

test('files of one chain, in their order, are good; its ends are on stdout', async (t) => {
  const { path, write, dir } = await folder(t)
  await write(2000)
  writeFileSync(`${path}.1`, readFileSync(path))
  const lines = readFileSync(path, 'utf8').split(/(?<=\n)/)
  writeFileSync(`${path}.1`, lines.slice(0, 1200).join(''))
  writeFileSync(path, lines.slice(1200).join(''))
  await write(3)
  const { code, stdout, stderr } = await verify([`${path}.1`, path])
  assert.equal(code, 0)
  assert.match(stderr, /^the chain is good\nnext: keep the last digest elsewhere[^\n]*\n$/)
  assert.match(stdout, /^2003 records, seq 1 to 2003\nlast digest hmac-sha256:[0-9a-f]{64}\n$/)
  writeFileSync(join(dir, 'key'), `${base64}\n`)
  assert.equal((await verify([`${path}.1`, path], { keyFile: [join(dir, 'key')] })).code, 0)
  const json = await verify([`${path}.1`, path], { key: [base64] }, 'json')
  const { digest, ...rest } = JSON.parse(json.stdout)
  assert.deepEqual(rest, { records: 2003, first: 1, last: 2003, lost: 0, faultCount: 0, faults: [], next: [...rest.next] })
  assert.equal(rest.next.length, 1)
  assert.ok(stdout.includes(digest))
  const after = JSON.parse(lines[1199] ?? '').digest
  assert.equal((await verify([path], { key: [base64], after })).code, 0)
})

test('what is wrong is said with file and line, and ends with 1', async (t) => {
  const { path, write } = await folder(t)
  await write(5)
  const lines = readFileSync(path, 'utf8').split(/(?<=\n)/)
  const rows: readonly [name: string, text: string, expected: RegExp][] = [
    ['altered', lines.join('').replace('"bytesOut":1', '"bytesOut":2'), /audit\.jsonl:1: altered: record 1 is not as it was written/],
    ['removed', lines.toSpliced(1, 2).join(''), /audit\.jsonl:2: removed: records 2 to 3 are not here/],
    ['doubled', lines.toSpliced(2, 0, lines[1] ?? '').join(''), /audit\.jsonl:3: doubled: record 2 was here before/],
    ['torn', lines.join('').slice(0, -20), /audit\.jsonl:5: torn: this is no whole record/],
    ['no end', lines.join('').slice(0, -1), /audit\.jsonl:5: torn: the last line has no end/],
    ['too long', `${lines[0]}${'x'.repeat(3_000_000)}\n${lines.slice(1).join('')}`, /audit\.jsonl:2: torn/],
    ['hidden in a long line', `${lines[0]}${lines[1]?.trimEnd()}${' '.repeat(2_000_000)}\n`, /audit\.jsonl:2: torn/],
  ]
  for (const [name, text, expected] of rows) {
    writeFileSync(path, text)
    const { code, stderr } = await verify([path])
    assert.equal(code, 1, name)
    assert.match(stderr, expected)
    const kind = expected.source.match(/: (\w+)/)?.[1]
    assert.match(stderr, new RegExp(`the chain is NOT good\\nnext: ${kind}: \\w`))
    assert.equal(stderr.match(/^next: /gm)?.length, new Set(stderr.match(/(?<=:\d+: )\w+(?=: )/g)).size, stderr)
  }
  writeFileSync(path, lines.join(''))
  const twice = await verify([path, path], { key: [base64] }, 'json')
  assert.equal(twice.code, 1)
  const { faultCount, faults } = JSON.parse(twice.stdout)
  assert.equal(faultCount, 5)
  assert.deepEqual([faults[0].file, faults[0].line, faults[0].kind], [path, 1, 'doubled'])
  appendFileSync(path, '{}\n'.repeat(300))
  const many = await verify([path])
  assert.match(many.stderr, /\nand 200 more\n/)
})

test('without its key a keyed chain is not said to be good, and records without a key are not with one', async (t) => {
  const { path, write } = await folder(t)
  await write(2)
  const unproven = await verify([path], {})
  assert.equal(unproven.code, 2)
  assert.match(
    unproven.stderr,
    /audit\.jsonl:1: unproven: .*--key-file\nthe order is good; the rest is not proven\nnext: unproven: give the key: --key-file [^\n]*\n$/,
  )
  await write(2, false)
  const unkeyed = await verify([path])
  assert.equal(unkeyed.code, 1)
  assert.match(unkeyed.stderr, /audit\.jsonl:3: unkeyed/)
  renameSync(path, `${path}.1`)
  await write(2, false)
  const plain = await verify([path], {})
  assert.equal(plain.code, 0)
  assert.match(plain.stderr, /\nnext: set `audit\.key`/)
})

test('wrong arguments end with 2 and show no key', async (t) => {
  const { path, write, dir } = await folder(t)
  await write(1)
  writeFileSync(join(dir, 'bad'), 'hunter2')
  const rows: readonly [files: readonly string[], options: AuditVerifyOptions, expected: RegExp][] = [
    [[path], { key: ['hunter2'] }, /^error: --key is not 32 bytes in base64\n$/],
    [[path], { keyFile: [join(dir, 'bad')] }, /^error: .*bad is not 32 bytes in base64\n$/],
    [[path], { keyFile: [join(dir, 'none')] }, /^error: .*none can't be read/],
    [[path], { key: [base64], after: 'x' }, /^error: --after takes the digest/],
    [[join(dir, 'none')], { key: [base64] }, /^error: .*none can't be read/],
    [[dir], { key: [base64] }, /^error: .*can't be read/],
  ]
  for (const [files, options, expected] of rows) {
    const { code, stdout, stderr } = await verify(files, options)
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, expected)
    assert.doesNotMatch(stderr, /hunter2/)
  }
})

test('no records are none', async (t) => {
  const { dir } = await folder(t)
  writeFileSync(join(dir, 'empty'), '')
  const { code, stdout } = await verify([join(dir, 'empty')], {})
  assert.deepEqual([code, stdout], [0, 'no records\n'])
})
