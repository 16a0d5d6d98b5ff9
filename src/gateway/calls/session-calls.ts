import type { Owner } from '../../catalog/catalog.ts'
import { type Cancellation, type ClientSession, type Refusal, Roster, type Rostered, refuse } from '../../mcp/mcp.ts'
import type { Sent } from '../../upstream/upstream.ts'
import { askClient, maxRounds, type RoundDeps } from './ask-client.ts'
import type { ClientCall } from './client-call.ts'

/**
 * Calls in the sessions of legacy clients. They can be cancelled by the ids of their requests, and the client is asked for input on the
 * call's own stream.
 */
export interface SessionCalls {
  /**
   * Sends a call to its server. While the server answers that it needs input, asks the client and sends the call again (2026-07-28, multi
   * round-trip requests).
   * @param id the client's id of its request (JSON text)
   */
  send(call: ClientCall, session: ClientSession, id: string, owner: Owner): Promise<Sent>
  /** The client cancels its request with this id or, without an id, all requests of its session. */
  cancel(session: string, id?: string): void
}

/** Bound of the characters of all requests together whose clients are being asked for input. */
const maxWaitingChars = 64 * 1024 * 1024

interface InFlight extends Rostered {
  readonly session: string
  readonly id: string
  readonly cancellation: Cancellation
}

export function createSessionCalls(deps: RoundDeps): SessionCalls {
  /** Bounded by how many calls servers have in flight and waiting, and by time-outs; not by the clients' connections. */
  const inFlight = new Roster<InFlight>()
  let waitingChars = 0

  async function askInRounds(call: ClientCall, owner: Owner, first: Sent): Promise<Sent> {
    let sent = first
    for (let rounds = 0; sent.answer.kind === 'input-required'; rounds++) {
      const { length } = call.message.text
      if (waitingChars + length > maxWaitingChars)
        return { ...sent, answer: refuse('upstream-busy', 'has too many calls that wait for their clients', { server: owner.server }) }
      waitingChars += length
      const release = owner.upstream.hold()
      try {
        const resume =
          rounds === maxRounds ? 'it asks again and again' : await askClient(deps, call.scope(), sent.answer, call.reply, call.cancellation)
        if (typeof resume === 'string') return { ...sent, answer: withoutInput(resume, owner.server, call.cancellation) }
        call.resume = resume
        sent = await owner.upstream.send(call, owner.addressed)
      } finally {
        waitingChars -= length
        release()
      }
    }
    return sent
  }

  return {
    async send(call, session, id, owner) {
      const underWay = { place: -1, session: session.key, id, cancellation: call.cancellation }
      inFlight.add(underWay)
      try {
        const sent = await owner.upstream.send(call, owner.addressed)
        return sent.answer.kind === 'input-required' ? await askInRounds(call, owner, sent) : sent
      } finally {
        inFlight.remove(underWay)
      }
    },
    cancel(session, id) {
      for (const one of inFlight.all()) if (one.session === session && (id === undefined || one.id === id)) one.cancellation.cancel()
    },
  }
}

function withoutInput(why: string, server: string, cancellation: Cancellation): Refusal {
  if (cancellation.isCancelled) return refuse('cancelled', why)
  return refuse('upstream-invalid', `needs input that it did not get: ${why}`, { server })
}
