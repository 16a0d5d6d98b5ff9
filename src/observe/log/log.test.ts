import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { goodCall } from '../records/record-for-test.ts'
import type { RequestRecord, TextStream } from '../records/records.ts'
import { createLog, type LogOptions } from './log.ts'

const now = () => Date.UTC(2026, 10, 20, 8, 0, 0, 7)

const record: RequestRecord = {
  ...goodCall,
  caller: 'anonymous',
  agent: undefined,
  outcome: 'refused',
  reason: 'hidden-by-rule',
  rule: 'policies.authorize.deny[0]',
  withheld: 2,
}

/** A stream that keeps what was written, or fails as told. */
function memory(more: Partial<TextStream> = {}): TextStream & { text: string } {
  const stream = {
    text: '',
    write(text: string) {
      stream.text += text
    },
    on() {},
    ...more,
  }
  return stream
}

function logTo(stream: TextStream, more: Partial<LogOptions> = {}) {
  return createLog({ level: 'info', format: 'json', stream, color: false, now, ...more })
}

test('a request line is one JSON object with the documented fields in their order, undefined ones left out', () => {
  const stream = memory()
  const log = logTo(stream)
  log.request(record)
  log.flush()
  assert.equal(stream.text.at(-1), '\n')
  const line = JSON.parse(stream.text) as Record<string, unknown>
  const { traceId: _traceId, rpcCode: _rpcCode, agent: _agent, path: _path, ...sent } = record
  assert.deepEqual(line, { level: 'info', time: '2026-11-20T08:00:00.007Z', ...sent, msg: 'request' })
  assert.deepEqual(Object.keys(line), ['level', 'time', ...Object.keys(sent), 'msg'])
})

test('auto is text on a terminal and JSON elsewhere', () => {
  for (const [isTTY, expected, format] of [
    [true, /^\d\d:\d\d:\d\d\.007 warn server down server=math\n$/, 'text'],
    [false, /^\{"level":"warn"/, 'json'],
  ] as const) {
    const stream = memory({ isTTY })
    const log = logTo(stream, { format: 'auto' })
    assert.equal(log.format, format)
    log.warn({ server: 'math' }, 'server down')
    log.flush()
    assert.match(stream.text, expected)
  }
})

test('the text of a request shows what was asked and what came of it first', () => {
  const stream = memory()
  const log = logTo(stream, { format: 'text' })
  log.request(record)
  log.flush()
  assert.equal(
    stream.text.replace(/^\S+ /, ''),
    'tools/call math_add refused:hidden-by-rule 200 3.3ms requestId=r1 route=default caller=anonymous backend=default server=math clientEra=modern serverEra=legacy rule=policies.authorize.deny[0] withheld=2 upstreamMs=2.5 bytesIn=10 bytesOut=20\n',
  )
})

test('an error in text is its message and where it came from, on one line', () => {
  const stream = memory()
  const log = logTo(stream, { format: 'text' })
  log.error({ err: new Error('no luck') }, 'failed')
  log.flush()
  assert.match(stream.text, /^\S+ error failed err="no luck \(at .*log\.test\.ts:\d+:\d+\)\)"\n$/)
})

test('no control, bidi or tag character of a value reaches the stream, and JSON keeps the value', () => {
  const nasty = 'a\u001b[31m\u009b2J\u202eb\u2066\u200b\u{e0041}\r\n\u2028c'
  for (const format of ['json', 'text'] as const) {
    const stream = memory()
    const log = logTo(stream, { format })
    log.info({ server: nasty }, nasty)
    log.request({ ...record, name: nasty, reason: nasty })
    log.flush()
    assert.doesNotMatch(stream.text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|\udb40/)
    const lines = stream.text.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    if (format === 'json') assert.equal(JSON.parse(lines[0] ?? '').server, nasty)
  }
})

test('lines below the level are not written', () => {
  const stream = memory()
  const log = logTo(stream, { level: 'warn' })
  log.request(record)
  log.info({}, 'no')
  log.debug({}, 'no')
  log.warn({}, 'yes')
  log.flush()
  assert.equal(JSON.parse(stream.text).msg, 'yes')
})

test('level and format can change', () => {
  const stream = memory()
  const log = logTo(stream)
  log.debug({}, 'no')
  log.configure({ level: 'debug', format: 'text' })
  log.debug({ a: 1 }, 'yes')
  log.configure({ level: 'error', format: 'text' })
  log.request(record)
  log.flush()
  assert.match(stream.text, /^\S+ debug yes a=1\n$/)
})

test('lines are gathered until 4096 characters or 200 ms', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const stream = memory()
  const log = logTo(stream)
  log.request(record)
  t.mock.timers.tick(199)
  assert.equal(stream.text, '')
  t.mock.timers.tick(1)
  const first = stream.text.length
  assert.ok(first > 0)
  while (stream.text.length === first) log.request(record)
  assert.ok(stream.text.length - first >= 4096)
  assert.ok(stream.text.length - first < 4096 + first)
})

test('what a full, dead or throwing stream cannot take is dropped and counted, and writing goes on when it recovers', () => {
  let fault: 'full' | 'dead' | 'throws' | undefined
  const stream = memory()
  const faulty: TextStream = {
    on() {},
    get writableLength() {
      return fault === 'full' ? 1024 * 1024 : 0
    },
    write(text, done) {
      if (fault === 'throws') throw new Error('EPIPE')
      if (fault === 'dead') return done?.(new Error('ENOSPC'))
      return stream.write(text)
    },
  }
  const log = logTo(faulty)
  for (const kind of ['full', 'dead', 'throws'] as const) {
    fault = kind
    const before = log.dropped
    log.info({}, 'lost')
    log.info({}, 'lost')
    log.flush()
    assert.equal(log.dropped - before, 2, kind)
  }
  fault = undefined
  log.info({}, 'kept')
  log.flush()
  assert.equal(JSON.parse(stream.text).msg, 'kept')
})

const child = `
import { createLog } from ${JSON.stringify(new URL('./log.ts', import.meta.url).href)}
const log = createLog({ level: 'info', format: 'json', stream: process.stdout, color: false })
process.on('exit', () => log.flush())
process.stdin.resume()
process.stdin.on('data', () => {
  for (let i = 0; i < 20000; i++) log.info({ i, pad: 'x'.repeat(200) }, 'line')
  log.flush()
  setImmediate(() => { process.stderr.write(String(log.dropped)); process.exit(0) })
})
process.stderr.write('ready')
`

test('a reader that is gone or never reads neither stops nor crashes the process', async () => {
  for (const reader of ['gone', 'stalled'] as const) {
    const run = spawn(process.execPath, ['--input-type=module', '-e', child], { stdio: ['pipe', 'pipe', 'pipe'] })
    await once(run.stderr, 'data')
    if (reader === 'gone') run.stdout.destroy()
    let dropped = ''
    run.stderr.on('data', (chunk: Buffer) => {
      dropped += chunk.toString()
    })
    run.stdin.write('go')
    const [code] = await once(run, 'exit')
    assert.equal(code, 0, reader)
    assert.ok(Number(dropped) > 0, `${reader}: ${dropped}`)
    run.stdout.destroy()
  }
})
