import { discoverRequest, legacyRequest } from '../../era/era.ts'
import type { MeetOptions, Met } from '../server/server.ts'
import type { Connector } from '../wire/wire.ts'

/** Asks a server for as little as possible. It is gone if it can't be reached or answers with 5xx; one that answers late is only busy. */
export async function isGone(connector: Connector, { era, facts, session }: Met, options: MeetOptions): Promise<boolean> {
  const id = options.nextId()
  const request = era.name === 'modern' ? discoverRequest(id, options.clientInfo) : legacyRequest(id, 'ping', {}, facts.version, session)
  const reply = await connector.post({ ...request, id, timeoutMs: options.timeoutMs })
  return reply.kind === 'failed' ? reply.failure === 'unreachable' : reply.kind === 'http' && reply.status >= 500
}
