/** Whether a call has been given up, by a message or by the client's leaving. An AbortController for this costs a tenth of a call. */
export class Cancellation {
  #isCancelled = false
  #listener: (() => void) | undefined

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  cancel(): void {
    if (this.#isCancelled) return
    this.#isCancelled = true
    this.#listener?.()
  }

  /** The client has gone without giving up: nobody waits for the answer. */
  isAbandoned = false

  /** The one listener; undefined takes it away. Called at once where the call has been given up already. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener
    if (this.#isCancelled) listener?.()
  }
}
