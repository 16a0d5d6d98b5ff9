import { createHash } from 'node:crypto'
import { type Config, durationMs } from '../config/config.ts'
import {
  createExpiringSealer,
  createSealedSessions,
  createSealer,
  createSessionMemory,
  type SealedSessions,
  type Sealer,
  type SealKey,
} from '../era/era.ts'
import { maxSealedIdChars } from '../mcp/mcp.ts'

/** Seals for the state that clients keep for the gateway, with the document's keys (docs/decisions/0003). */
export interface Seals {
  readonly sessions: SealedSessions
  /** `requestState` (2026-07-28, multi round-trip requests). */
  readonly states: Sealer
  /** Ids of requests to legacy clients. */
  readonly asks: Sealer
  readonly cursors: Sealer
}

export interface SealDeps {
  readonly random: (bytes: number) => Uint8Array
  /** Gives a secret's value; throws where it is gone. */
  readonly secret: (reference: string) => string
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Larger than others, since it holds a server's own `requestState`. */
const maxStateChars = 256 * 1024

/**
 * Makes a Config's seals; the same ones as long as its keys and times stay the same. Without keys in the document, the process uses a
 * random one of its own.
 */
export function createSeals({ random, secret, now }: SealDeps): (config: Config) => Seals {
  const processKey: SealKey = { id: 'process', secret: random(32) }
  const memory = createSessionMemory()
  let made: { readonly settings: string; readonly seals: Seals } | undefined

  return ({ sessions }) => {
    const listed = sessions.keys.map((key) => ({ id: key.id, secret: Buffer.from(secret(key.secret), 'base64') }))
    // Secrets count by their values, since a file behind a reference may have changed.
    const settings = createHash('sha256')
      .update(JSON.stringify([sessions, listed]))
      .digest('hex')
    if (made?.settings === settings) return made.seals
    const keys = listed.length === 0 ? [processKey] : listed
    const times = { idleMs: durationMs(sessions.idle), absoluteMs: durationMs(sessions.absolute) }
    const expiring = (purpose: string, maxChars?: number) =>
      createExpiringSealer(createSealer(purpose, keys, random, maxChars), times.absoluteMs, now)
    const seals: Seals = {
      sessions: createSealedSessions(createSealer('session', keys, random), times, now, random, memory),
      states: expiring('state', maxStateChars),
      asks: expiring('ask', maxSealedIdChars),
      cursors: expiring('cursor'),
    }
    made = { settings, seals }
    return seals
  }
}
