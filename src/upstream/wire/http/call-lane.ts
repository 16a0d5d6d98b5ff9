import type { Dispatcher } from 'undici'

/** Bound of the calls that wait for one server; more are refused at once. */
const maxWaiting = 1000
/** Bound of the bytes of request bodies in flight to one server; the same bound holds for the bodies of calls that wait. */
const maxBytes = 64 * 1024 * 1024

/** The part of a call that the lane needs. */
export interface LaneCall extends Dispatcher.DispatchHandler {
  /** Whether the call has its reply or was cancelled. */
  readonly isSettled: boolean
  /** Starts the call. When it has left its connection, it calls `free` with these bytes. */
  enter(lane: CallLane, bytes: number): void
}

interface Entry {
  readonly exchange: LaneCall
  readonly options: Dispatcher.DispatchOptions
  readonly bytes: number
}

/** The calls of one server: a bounded number in flight, others in a bounded line. A call that is cancelled while it waits is never sent. */
export class CallLane {
  #active = 0
  #activeBytes = 0
  #waiting: Entry[] = []
  #waitingBytes = 0
  readonly #dispatch: (options: Dispatcher.DispatchOptions, exchange: LaneCall) => void
  readonly #maxActive: number

  constructor(maxActive: number, dispatch: (options: Dispatcher.DispatchOptions, exchange: LaneCall) => void) {
    this.#maxActive = maxActive
    this.#dispatch = dispatch
  }

  /** Starts a call or lets it wait; false where there is no room. */
  add(options: Dispatcher.DispatchOptions, exchange: LaneCall, bytes: number): boolean {
    if (this.#waiting.length === 0 && this.#hasRoom(bytes)) {
      this.#start(options, exchange, bytes)
      return true
    }
    if (!this.#mayWait(bytes)) this.#sweep()
    if (!this.#mayWait(bytes)) return false
    this.#waiting.push({ options, exchange, bytes })
    this.#waitingBytes += bytes
    return true
  }

  /** Takes note that a call has left its connection, and starts those that wait. */
  free(bytes: number): void {
    this.#active--
    this.#activeBytes -= bytes
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting
      if (first === undefined || (!first.exchange.isSettled && !this.#hasRoom(first.bytes))) return
      this.#waiting.shift()
      this.#waitingBytes -= first.bytes
      if (!first.exchange.isSettled) this.#start(first.options, first.exchange, first.bytes)
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#active < this.#maxActive && (this.#active === 0 || this.#activeBytes + bytes <= maxBytes)
  }

  #mayWait(bytes: number): boolean {
    return this.#waiting.length < maxWaiting && this.#waitingBytes + bytes <= maxBytes
  }

  #start(options: Dispatcher.DispatchOptions, exchange: LaneCall, bytes: number): void {
    this.#active++
    this.#activeBytes += bytes
    exchange.enter(this, bytes)
    this.#dispatch(options, exchange)
  }

  #sweep(): void {
    this.#waiting = this.#waiting.filter(({ exchange }) => !exchange.isSettled)
    this.#waitingBytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}
