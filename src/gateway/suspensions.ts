import { inputRequestOf } from '../era/era.ts'
import { type Ask, type Cancellation, members, refuse, textOf } from '../mcp/mcp.ts'
import type { Sent } from '../upstream/upstream.ts'

/**
 * Calls of modern clients to legacy servers that ask something in the midst of a call. The call goes on here and waits, the client
 * gets an `input-required` answer, and its next round brings the answers to this process: nowhere else, and the call is never sent twice.
 */
export interface Suspensions {
  /** Takes a call through its first round. `start` sends it, with the suspendable call's own hooks. */
  run(call: SuspendableCall, start: () => Promise<Sent>): Promise<Sent>
  /**
   * The next round of a call that was suspended.
   * @param state what the answer before had as its `state`; that it is of this very call has been seen to
   * @param responses JSON text of the client's `inputResponses`
   */
  resume(state: string, responses: string | undefined, hooks: RoundHooks): Promise<Sent>
  /** Gives up the calls that wait for their clients, who find no way back, and lets no more of them wait. */
  drain(): void
  readonly size: number
}

/** Where one round's notices go, and how the client leaves it. */
export interface RoundHooks {
  readonly onNotice: (message: string) => void
  onGone(listener: () => void): void
}

/** After a question, how long others are waited for that belong to the same round. */
const quietMs = 30
/** How long a client may take to answer; the upstream waits as long. */
const patienceMs = 10 * 60 * 1000
/** Calls that wait for their clients at a time. */
const maxSuspended = 1000

function refused(text: string): Sent {
  return { answer: refuse('invalid-params', text), upstreamMs: 0, era: 'legacy' }
}

/** One call that may be suspended: costs nothing until the server asks. */
export class SuspendableCall {
  readonly cancellation: Cancellation
  /** What the client brings back in its next round; undefined where the server has asked nothing yet. */
  state: string | undefined
  /** Gives it a state, or none where there is no room. */
  private register: ((call: SuspendableCall) => string | undefined) | undefined
  private hooks: RoundHooks
  private asks: Map<string, Ask> | undefined
  private count = 0
  private quiet: NodeJS.Timeout | undefined
  private sent: Sent | undefined
  private waiter: ((sent: Sent) => void) | undefined

  constructor(cancellation: Cancellation, hooks: RoundHooks) {
    this.cancellation = cancellation
    this.hooks = hooks
  }

  begin(register: (call: SuspendableCall) => string | undefined): void {
    this.register = register
  }

  onNotice(message: string): void {
    // Between two rounds nobody listens.
    if (this.waiter !== undefined) this.hooks.onNotice(message)
  }

  onAsk(ask: Ask): void {
    this.state ??= this.register?.(this)
    if (this.state === undefined) {
      ask.reply('"error":{"code":-32000,"message":"too many calls wait for input"}')
      return
    }
    const key = `input-${++this.count}`
    this.asks ??= new Map()
    this.asks.set(key, ask)
    ask.onWithdrawn(() => this.asks?.delete(key))
    this.settleSoon()
  }

  finish(sent: Sent): void {
    this.sent = sent
    clearTimeout(this.quiet)
    this.waiter?.(sent)
    this.waiter = undefined
  }

  /** Resolves with the answer, or with the questions that are open. */
  next(): Promise<Sent> {
    if (this.sent !== undefined) return Promise.resolve(this.sent)
    return new Promise((resolve) => {
      this.waiter = resolve
    })
  }

  /** Whether a round is under way. */
  get isAwaited(): boolean {
    return this.waiter !== undefined
  }

  get isFinished(): boolean {
    return this.sent !== undefined
  }

  resume(responses: string | undefined, hooks: RoundHooks): Promise<Sent> {
    this.hooks = hooks
    const next = this.next()
    if (this.sent !== undefined) return next
    hooks.onGone(() => this.cancellation.cancel())
    for (const { key, start, end } of responses === undefined ? [] : members(responses, 0, responses.length)) {
      const ask = this.asks?.get(key)
      if (ask === undefined) continue
      this.asks?.delete(key)
      ask.reply(`"result":${textOf(responses ?? '', { start, end, type: 'object' })}`)
    }
    if (this.asks !== undefined && this.asks.size > 0) this.settleSoon()
    return next
  }

  private settleSoon(): void {
    this.quiet ??= setTimeout(() => {
      this.quiet = undefined
      const { asks, waiter } = this
      if (asks === undefined || asks.size === 0 || waiter === undefined) return
      this.waiter = undefined
      const requests = [...asks].map(([key, ask]) => `${JSON.stringify(key)}:${inputRequestOf(ask)}`)
      waiter({
        answer: { kind: 'input-required', result: `{"inputRequests":{${requests.join(',')}}}`, state: this.state },
        upstreamMs: 0,
        era: 'legacy',
      })
    }, quietMs)
  }
}

interface Entry {
  readonly call: SuspendableCall
  readonly patience: NodeJS.Timeout
}

/** @param process names this process among the replicas @param random gives an id that can't be guessed */
export function createSuspensions(process: string, random: () => string): Suspensions {
  const entries = new Map<string, Entry>()
  let isDraining = false

  const register = (call: SuspendableCall): string | undefined => {
    if (isDraining || entries.size === maxSuspended) return undefined
    const state = `${process} ${random()}`
    const patience = setTimeout(() => {
      entries.delete(state)
      call.cancellation.cancel()
    }, patienceMs).unref()
    entries.set(state, { call, patience })
    return state
  }
  const forgetFinished = (call: SuspendableCall) => {
    if (call.state === undefined || !call.isFinished) return
    clearTimeout(entries.get(call.state)?.patience)
    entries.delete(call.state)
  }

  return {
    async run(call, start) {
      call.begin(register)
      const round = call.next()
      void start().then((sent) => call.finish(sent))
      const sent = await round
      forgetFinished(call)
      return sent
    },
    async resume(state, responses, hooks) {
      const [where] = state.split(' ')
      if (where !== process) return refused('this call waits for input at another replica, where it has to go on')
      const call = entries.get(state)?.call
      if (call === undefined) return refused('this call no longer waits for input: make it again')
      if (call.isAwaited) return refused('another round of this call is under way')
      entries.get(state)?.patience.refresh()
      const sent = await call.resume(responses, hooks)
      forgetFinished(call)
      return sent
    },
    drain() {
      isDraining = true
      for (const [state, { call, patience }] of entries) {
        if (call.isAwaited) continue
        clearTimeout(patience)
        entries.delete(state)
        call.cancellation.cancel()
      }
    },
    get size() {
      return entries.size
    },
  }
}
