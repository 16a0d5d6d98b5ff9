import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { goodCall } from '../records/record-for-test.ts'
import type { AuditEntry } from './entry.ts'
import { createRecordBody, maxArgumentBytes } from './record-body.ts'
import type { AuditSettings } from './settings.ts'

const key = new Uint8Array(32).fill(7)
const settings: AuditSettings = {
  sinks: [{ kind: 'stdout' }],
  chain: true,
  whenFull: 'refuse',
  arguments: true,
  redact: [],
  key,
  isKeyLasting: true,
}
const entry: AuditEntry = {
  record: { ...goodCall, agent: undefined, outcome: 'refused', reason: 'forbidden-tool', rpcCode: -32602, upstreamMs: undefined },
  sourceAddress: '192.0.2.1',
  issuer: 'https://issuer.example',
  subject: 'a-1',
  actors: ['app', 'bot'],
  rule: { place: 'policies.authorize.deny[0]', text: 'mcp.tool.name == "add"' },
  args: '{"a": 12345678901234567890,\n\t"password":"hunter2"}',
}

function textOf(more: Partial<AuditSettings>, changes: Partial<AuditEntry> = {}): string {
  const body = createRecordBody({ ...settings, ...more }, () => Date.UTC(2026, 10, 20, 8, 0, 0, 7))
  return `${body({ ...entry, ...changes }).toString()}}`
}
const read = (more: Partial<AuditSettings>, changes: Partial<AuditEntry> = {}): Record<string, unknown> => JSON.parse(textOf(more, changes))

test("a record has the log line's members, then who it was, what decided and the arguments; undefined ones are left out", () => {
  const { agent: _agent, upstreamMs: _upstreamMs, traceId: _traceId, rule: _rule, withheld: _withheld, path: _path, ...sent } = entry.record
  const expected = {
    type: 'audit',
    time: '2026-11-20T08:00:00.007Z',
    ...sent,
    sourceAddress: entry.sourceAddress,
    issuer: entry.issuer,
    subject: entry.subject,
    actors: entry.actors,
    rule: entry.rule,
    argumentsDigest: createHmac('sha256', key)
      .update(entry.args ?? '')
      .digest('hex'),
  }
  const record = read({ arguments: false })
  assert.deepEqual(record, expected)
  assert.deepEqual(Object.keys(record), Object.keys(expected))
  const bare = read({}, { sourceAddress: '', issuer: undefined, subject: undefined, actors: [], rule: undefined, args: undefined })
  assert.deepEqual(Object.keys(bare), ['type', 'time', ...Object.keys(sent)])
  assert.deepEqual(read({}, { rule: { place: 'agents.sre.access', text: undefined } })['rule'], { place: 'agents.sre.access' })
})

test('arguments stand there in the characters that were sent, on one line', () => {
  const text = textOf({})
  assert.ok(text.endsWith(',"arguments":{"a": 12345678901234567890,  "password":"hunter2"}}'), text)
  assert.doesNotMatch(text, /[\n\t]/)
})

test('arguments that are too large are left out and said to be; their digest stays', () => {
  const rows: readonly [args: string, isCut: boolean][] = [
    [`"${'x'.repeat(maxArgumentBytes - 2)}"`, false],
    [`"${'x'.repeat(maxArgumentBytes - 1)}"`, true],
    [`"${'é'.repeat(maxArgumentBytes / 2)}"`, true],
    [`"${'\u200b'.repeat(maxArgumentBytes / 6 + 1)}"`, true],
  ]
  for (const [args, isCut] of rows) {
    const record = read({}, { args })
    assert.equal(record['argumentsCut'], isCut ? true : undefined)
    assert.equal('arguments' in record, !isCut)
    assert.equal(record['argumentsDigest'], createHmac('sha256', key).update(args).digest('hex'))
  }
})

test('no control, bidi or tag character is in a record, and its values are kept', () => {
  const nasty = 'a\u001b[31m\u009b2J\u202eb\u2066\u200b\u{e0041}\r\n\u2028c'
  const args = `{${JSON.stringify(nasty)}:${JSON.stringify(nasty)}}`
  const text = textOf(
    {},
    { record: { ...entry.record, name: nasty }, subject: nasty, issuer: nasty, actors: [nasty], rule: { place: nasty, text: nasty }, args },
  )
  assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|\udb40/)
  const { name, subject, issuer, actors, rule, arguments: given } = JSON.parse(text)
  assert.deepEqual([name, subject, issuer, actors], [nasty, nasty, nasty, [nasty]])
  assert.deepEqual([rule, given], [{ place: nasty, text: nasty }, { [nasty]: nasty }])
})

test('words are those of the entry, whatever was remembered', () => {
  const body = createRecordBody(settings, () => 0)
  const changes: readonly Partial<AuditEntry>[] = [
    {},
    { subject: 'b-2' },
    { issuer: 'https://other.example' },
    { actors: ['app'] },
    { actors: [] },
    { rule: { place: 'policies.authorize.deny[0]', text: 'other' } },
    { rule: undefined },
    { subject: undefined },
    {},
  ]
  for (const change of changes) {
    const { issuer, subject, actors, rule } = { ...entry, ...change }
    const found = JSON.parse(`${body({ ...entry, ...change }).toString()}}`)
    assert.deepEqual([found.issuer, found.subject, found.actors ?? [], found.rule], [issuer, subject, actors, rule])
  }
})

test('very long words are cut', () => {
  const long = 'x'.repeat(100_000)
  const record = read(
    {},
    { subject: long, issuer: long, actors: Array(100).fill(long), rule: { place: long, text: long }, args: undefined },
  )
  assert.equal(String(record['subject']).length, 1024)
  assert.ok(JSON.stringify(record).length < 30_000)
})

test('what is redacted is blank, the rest as it was', () => {
  const args = '{"password":"p1","list":[{"password":"p2","n":1e400},[{"password":"p3"}]],"p\\u0061ss":"p4","deep":{"a":{"b":"p5","c":7}}}'
  const rows: readonly [redact: readonly string[], change: (record: Record<string, unknown>) => void][] = [
    // A caller's name is made of issuer and subject.
    [['subject'], (record) => Object.assign(record, { subject: '[redacted]', caller: '[redacted]' })],
    [['caller', 'name'], (record) => Object.assign(record, { caller: '[redacted]', subject: '[redacted]', name: '[redacted]' })],
    [['issuer'], (record) => Object.assign(record, { issuer: '[redacted]', caller: '[redacted]' })],
    [['sourceAddress'], (record) => Object.assign(record, { sourceAddress: '[redacted]' })],
    [['rule.text'], (record) => Object.assign(record, { rule: { place: entry.rule?.place, text: '[redacted]' } })],
    [['rule'], (record) => Object.assign(record, { rule: '[redacted]' })],
    [['actors'], (record) => Object.assign(record, { actors: '[redacted]' })],
    [['httpStatus'], (record) => Object.assign(record, { httpStatus: '[redacted]' })],
    [['httpStatus', 'requestId'], (record) => Object.assign(record, { httpStatus: '[redacted]', requestId: '[redacted]' })],
    [['argumentsDigest'], (record) => Object.assign(record, { argumentsDigest: '[redacted]' })],
    [['mcp.tool.arguments'], (record) => Object.assign(record, { arguments: '[redacted]' })],
    [['agent', 'nonsense', 'caller.inner', 'arguments.none', 'type', 'time', 'seq', 'prev', 'digest'], () => {}],
  ]
  for (const [redact, change] of rows) {
    const expected = read({}, { args: '{"a":1}' })
    change(expected)
    assert.deepEqual(read({ redact }, { args: '{"a":1}' }), expected, redact.join())
  }
  const blanked = textOf(
    { redact: ['mcp.tool.arguments.password', 'arguments.list.password', 'arguments.pass', 'arguments.deep.a.b'] },
    { args },
  )
  const whole = '{"password":"[redacted]","list":[{"password":"[redacted]","n":1e400},[{"password":"[redacted]"}]],'
  assert.ok(blanked.endsWith(`,"arguments":${whole}"p\\u0061ss":"[redacted]","deep":{"a":{"b":"[redacted]","c":7}}}}`), blanked)
})

test('blanked words stay so from call to call', () => {
  const body = createRecordBody({ ...settings, redact: ['caller', 'subject', 'rule.text'] }, () => 0)
  for (const caller of ['alice', 'bob', 'alice']) {
    const text = body({ ...entry, record: { ...entry.record, caller }, subject: `s-${caller}` }).toString()
    assert.doesNotMatch(text, /alice|bob|mcp\.tool\.name/)
  }
})
