import assert from 'node:assert/strict'
import {
  anonymous,
  type Call,
  Cancellation,
  type EraName,
  type Message,
  type Method,
  noCapabilities,
  scanMessage,
  subjectOf,
} from '../mcp/mcp.ts'
import { createLegacyServer } from './legacy/server.ts'
import { createModernServer } from './modern/server.ts'
import type { ServerEra } from './server-era.ts'

/** For tests: servers of both eras, as a gateway of this name speaks to them. */
export const gateway = { name: 'mcplex', version: '1' }
export const servers: Readonly<Record<EraName, ServerEra>> = {
  legacy: createLegacyServer('2025-11-25'),
  modern: createModernServer(gateway),
}

export function messageOf(text: string): Message {
  const message = scanMessage(text, { depth: 64, tokens: 10_000 })
  assert.ok(message.kind === 'message', text)
  return message
}

/** A client's request with these params (JSON text). */
export function callOf(clientEra: EraName, method: Method, params: string | undefined, more: Partial<Call> = {}): Call {
  const message = messageOf(`{"jsonrpc":"2.0","id":"own","method":"${method}"${params === undefined ? '' : `,"params":${params}`}}`)
  const subject = subjectOf(message, method)
  return {
    method,
    subject: subject !== undefined && 'reason' in subject ? undefined : subject,
    message,
    caller: anonymous,
    session: undefined,
    clientEra,
    capabilities: noCapabilities,
    logLevel: undefined,
    resume: undefined,
    cancellation: new Cancellation(),
    timeoutMs: undefined,
    onNotice() {},
    drained: () => undefined,
    onAsk() {},
    ...more,
  }
}
