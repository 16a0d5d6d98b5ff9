import { inputRequestOf } from '../../era/era.ts'
import { type Ask, type Cancellation, members, patienceMs, refuse, textOf } from '../../mcp/mcp.ts'
import type { Sent } from '../../upstream/upstream.ts'

/**
 * The calls of modern clients that wait here while their client is asked: a legacy server has made a request to the client during the call.
 * The call to the server stays open, the client gets an `input-required` answer, and its next round has to come to this process. A call is
 * never sent twice.
 */
export interface SuspendedCalls {
  /** Runs the first round of a call. `start` sends the call, with the `onNotice` and `onAsk` of this SuspendableCall. */
  run(call: SuspendableCall, start: () => Promise<Sent>): Promise<Sent>
  /**
   * Runs the next round of a call that was suspended.
   * @param state the `state` of the answer before; the caller has checked that it belongs to this very call
   * @param responses JSON text of the client's `inputResponses`
   */
  resume(state: string, responses: string | undefined, hooks: RoundHooks): Promise<Sent>
  /** Cancels the calls that wait for their clients, since no next round can reach this process, and suspends no more. */
  drain(): void
  readonly size: number
}

/** Where the notices of one round go, and how the round is told that its client has closed the connection. */
export interface RoundHooks {
  readonly onNotice: (message: string) => void
  /** As `Call.drained`. */
  drained(): Promise<void> | undefined
  onGone(listener: () => void): void
}

/** How long to wait, after a server's first request, for more requests of the same round. */
const quietMs = 30
/** Bounds of the calls that wait for their clients at a time: of all callers, and of one. */
const maxSuspended = 1000
const maxOfCaller = 32
/** How long an answer that arrived between two rounds is kept, and how many characters of such answers together. */
const keptMs = 60_000
const maxKeptChars = 64 * 1024 * 1024

function refused(text: string): Sent {
  return { answer: refuse('invalid-params', text), upstreamMs: 0, era: 'legacy' }
}

const nobody: RoundHooks = { onNotice() {}, drained: () => undefined, onGone() {} }

/** One call that may be suspended. It costs nothing until the server makes a request. */
export class SuspendableCall {
  /** The caller (or its address) by whom suspended calls are counted. */
  readonly holder: string
  readonly cancellation: Cancellation
  /** What the client sends back in its next round; undefined until the server has made a request. */
  state: string | undefined
  /** Registers the call and returns its state; undefined where too many calls wait. */
  private register: ((call: SuspendableCall) => string | undefined) | undefined
  private hooks: RoundHooks
  private asks: Map<string, Ask> | undefined
  private count = 0
  private quiet: NodeJS.Timeout | undefined
  /** The final answer, once it has come. */
  sent: Sent | undefined
  private waiter: ((sent: Sent) => void) | undefined

  constructor(holder: string, cancellation: Cancellation, hooks: RoundHooks) {
    this.holder = holder
    this.cancellation = cancellation
    this.hooks = hooks
  }

  begin(register: (call: SuspendableCall) => string | undefined): void {
    this.register = register
  }

  onNotice(message: string): void {
    // Between two rounds no request of the client is open, so the notice is dropped.
    if (this.waiter !== undefined) this.hooks.onNotice(message)
  }

  drained(): Promise<void> | undefined {
    return this.waiter === undefined ? undefined : this.hooks.drained()
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

  /** Takes the final answer; false where no round waits for it. */
  finish(sent: Sent): boolean {
    this.sent = sent
    clearTimeout(this.quiet)
    const { waiter } = this
    this.waiter = undefined
    waiter?.(sent)
    return waiter !== undefined
  }

  /** Resolves with the final answer, or with an `input-required` one that holds the open requests. */
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

  resume(responses: string | undefined, hooks: RoundHooks): Promise<Sent> {
    this.hooks = hooks
    const next = this.next()
    if (this.sent !== undefined) return next
    hooks.onGone(() => this.cancellation.cancel())
    for (const response of responses === undefined ? [] : members(responses, 0, responses.length)) {
      const ask = this.asks?.get(response.key)
      // A response that is no object is no result: the client is asked again.
      if (ask === undefined || response.type !== 'object') continue
      this.asks?.delete(response.key)
      ask.reply(`"result":${textOf(responses ?? '', response)}`)
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
      // Frees what the hooks hold of the request of this round.
      this.hooks = nobody
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
  /** Cancels the call when its client does not come back. */
  patience: NodeJS.Timeout
  /** Characters of an answer that waits for the next round. */
  chars: number
}

/** @param process names this process among the replicas @param random gives an id that can't be guessed */
export function createSuspendedCalls(process: string, random: () => string): SuspendedCalls {
  const entries = new Map<string, Entry>()
  /** How many calls of each caller wait; callers without any are not in the map. */
  const counts = new Map<string, number>()
  let keptChars = 0
  let isDraining = false

  const forget = (state: string): SuspendableCall | undefined => {
    const entry = entries.get(state)
    if (entry === undefined) return undefined
    clearTimeout(entry.patience)
    entries.delete(state)
    keptChars -= entry.chars
    const left = (counts.get(entry.call.holder) ?? 1) - 1
    if (left > 0) counts.set(entry.call.holder, left)
    else counts.delete(entry.call.holder)
    return entry.call
  }
  const expire = (state: string, ms: number) => setTimeout(() => forget(state)?.cancellation.cancel(), ms).unref()
  const register = (call: SuspendableCall): string | undefined => {
    const own = counts.get(call.holder) ?? 0
    if (isDraining || entries.size === maxSuspended || own === maxOfCaller) return undefined
    const state = `${process} ${random()}`
    counts.set(call.holder, own + 1)
    entries.set(state, { call, patience: expire(state, patienceMs), chars: 0 })
    return state
  }
  /** Keeps an answer that arrived between two rounds for a while; the oldest ones are dropped when the bound is reached. */
  const keep = (call: SuspendableCall, { answer }: Sent) => {
    const entry = call.state === undefined ? undefined : entries.get(call.state)
    if (entry === undefined || call.state === undefined) return
    clearTimeout(entry.patience)
    entry.patience = expire(call.state, keptMs)
    entry.chars = answer.kind === 'complete' ? answer.result.length : 0
    keptChars += entry.chars
    for (const [state, { chars }] of entries) {
      if (keptChars <= maxKeptChars) return
      if (chars > 0) forget(state)
    }
  }

  return {
    async run(call, start) {
      call.begin(register)
      const round = call.next()
      void start().then((sent) => {
        if (!call.finish(sent)) keep(call, sent)
      })
      const sent = await round
      if (call.sent === sent && call.state !== undefined) forget(call.state)
      return sent
    },
    async resume(state, responses, hooks) {
      const [where] = state.split(' ')
      if (where !== process) return refused('this call waits for input at another replica, where it has to go on')
      const entry = entries.get(state)
      if (entry === undefined) return refused('this call no longer waits for input: make it again')
      const { call } = entry
      if (call.isAwaited) return refused('another round of this call is under way')
      clearTimeout(entry.patience)
      const sent = await call.resume(responses, hooks)
      if (call.sent === sent) forget(state)
      else if (entries.get(state) === entry) entry.patience = expire(state, patienceMs)
      return sent
    },
    drain() {
      isDraining = true
      for (const [state, { call }] of entries) if (!call.isAwaited) forget(state)?.cancellation.cancel()
    },
    get size() {
      return entries.size
    },
  }
}
