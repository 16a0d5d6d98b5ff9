import type { RequestRecord } from './record.ts'

/** For tests: a call that went well. */
export const goodCall: RequestRecord = {
  requestId: 'r1',
  route: 'default',
  caller: 'alice',
  agent: 'sre',
  backend: 'default',
  server: 'math',
  method: 'tools/call',
  name: 'math_add',
  clientEra: 'modern',
  serverEra: 'legacy',
  outcome: 'ok',
  reason: undefined,
  rule: undefined,
  withheld: undefined,
  httpStatus: 200,
  rpcCode: undefined,
  durationMs: 3.25,
  upstreamMs: 2.5,
  bytesIn: 10,
  bytesOut: 20,
  path: undefined,
  traceId: undefined,
}
