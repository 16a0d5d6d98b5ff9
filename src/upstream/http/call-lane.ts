import type { Dispatcher } from 'undici'
import type { PostExchange } from './post-exchange.ts'

/** Calls that wait their turn at one server, in number and in bytes of their bodies; more are refused at once. */
const maxWaiting = 1000
const maxWaitingBytes = 64 * 1024 * 1024

interface Waiting {
  readonly exchange: PostExchange
  readonly options: Dispatcher.DispatchOptions
  readonly bytes: number
}

/** The calls of one server: so many at a time, the others in a bounded line. What is given up while it waits leaves no trace. */
export class CallLane {
  #active = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  readonly #dispatch: (options: Dispatcher.DispatchOptions, exchange: PostExchange) => void
  readonly #maxActive: number

  constructor(maxActive: number, dispatch: (options: Dispatcher.DispatchOptions, exchange: PostExchange) => void) {
    this.#maxActive = maxActive
    this.#dispatch = dispatch
  }

  /** False: there is no room. */
  add(options: Dispatcher.DispatchOptions, exchange: PostExchange, bytes: number): boolean {
    if (this.#active < this.#maxActive) {
      this.#start(options, exchange)
      return true
    }
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes + bytes > maxWaitingBytes) this.#sweep()
    if (this.#waiting.length >= maxWaiting || this.#waitingBytes + bytes > maxWaitingBytes) return false
    this.#waiting.push({ options, exchange, bytes })
    this.#waitingBytes += bytes
    return true
  }

  /** A call's connection is free again. */
  done(): void {
    this.#active--
    for (;;) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#waitingBytes -= next.bytes
      if (next.exchange.isSettled) continue
      this.#start(next.options, next.exchange)
      return
    }
  }

  #start(options: Dispatcher.DispatchOptions, exchange: PostExchange): void {
    this.#active++
    this.#dispatch(options, exchange)
  }

  #sweep(): void {
    this.#waiting = this.#waiting.filter(({ exchange }) => !exchange.isSettled)
    this.#waitingBytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}
