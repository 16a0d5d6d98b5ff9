import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RequestRecord } from './record.ts'
import { createRequestMembers } from './request-line.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '\u2028', '\u202e', 'é', 'tools/call'))
const optional = fc.option(text, { nil: undefined })
const number = fc.option(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })), { nil: undefined })
const record = fc.record({
  requestId: text,
  route: optional,
  caller: optional,
  agent: optional,
  backend: optional,
  server: optional,
  method: text,
  name: optional,
  clientEra: fc.constantFrom('legacy', 'modern', undefined),
  serverEra: fc.constantFrom('legacy', 'modern', undefined),
  outcome: fc.constantFrom('ok', 'error', 'refused', 'cancelled'),
  reason: optional,
  rule: optional,
  path: optional,
  withheld: fc.option(fc.nat(), { nil: undefined }),
  httpStatus: fc.nat(),
  rpcCode: number,
  durationMs: fc.nat(),
  upstreamMs: number,
  bytesIn: fc.nat(),
  bytesOut: fc.nat(),
  traceId: optional,
}) as fc.Arbitrary<RequestRecord>

test('a record is what JSON.stringify makes of it', () => {
  const requestMembers = createRequestMembers()
  fc.assert(
    fc.property(record, (one) => {
      const { text, isPlain } = requestMembers(one)
      assert.deepEqual(JSON.parse(`{${text}}`), JSON.parse(JSON.stringify(one)))
      assert.equal(
        isPlain,
        Object.values(one).every((value) => typeof value !== 'string' || /^[\x20-\x7e]*$/.test(value.replace(/["\\]/g, '\n'))),
      )
    }),
  )
})

test('what differs from the last call of the same tool is said', () => {
  const requestMembers = createRequestMembers()
  fc.assert(
    fc.property(
      record,
      record,
      fc.subarray(['route', 'server', 'outcome', 'reason', 'rule', 'clientEra', 'caller', 'agent'] as const),
      (one, other, keys) => {
        const changed = { ...one, ...Object.fromEntries(keys.map((key) => [key, other[key]])) }
        for (const each of [one, changed, one])
          assert.deepEqual(JSON.parse(`{${requestMembers(each).text}}`), JSON.parse(JSON.stringify(each)))
      },
    ),
  )
})
