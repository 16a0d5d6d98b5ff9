import type { Answer, Asking, Hearing, Json, Operation, Replies, Transcript } from './script.ts'

/** What is late does not come; who waited in vain once does not wait again. */
const patience = { hearMs: 5000, replyMs: 15_000 }

type Heard = Transcript['unheard'][number]

/** Takes down what a client sees, as plain JSON: what was asked, how far it is, what was heard. */
export class Recorder {
  readonly #replies: Replies
  readonly #heard: Heard[] = []
  #asked: Answer['asked'][number][] = []
  #progress: Json[] = []
  #rootsAsked = 0
  #onHeard = () => {}
  #patience = patience

  constructor(replies: Replies) {
    this.#replies = replies
  }

  /** Does the operations in order; an error for which `errorOf` gives nothing is the client's own. */
  async play(
    operations: readonly Operation[],
    act: (operation: Asking) => Promise<unknown>,
    errorOf: (error: unknown) => Answer['error'],
  ): Promise<Transcript> {
    const answers: Answer[] = []
    for (const operation of operations) {
      this.#asked = []
      this.#progress = []
      const end = await this.#attempt(operation, act, errorOf)
      answers.push(plain({ ...end, asked: this.#asked, progress: this.#progress }))
    }
    return { answers, unheard: plain(this.#heard), rootsAsked: this.#rootsAsked }
  }

  sampling(params: object): Json {
    this.#asked.push({ method: 'sampling/createMessage', params: { ...params } })
    return this.#replies.sampling
  }

  elicitation(params: object): Json {
    this.#asked.push({ method: 'elicitation/create', params: { ...params } })
    if (!('requestedSchema' in params)) return this.#replies.url
    const { properties } = params.requestedSchema as { readonly properties: Json }
    const { action, content } = this.#replies.form
    return { action, content: Object.fromEntries(Object.entries(content).filter(([key]) => key in properties)) }
  }

  roots(): Json {
    this.#rootsAsked++
    return this.#replies.roots
  }

  progress(params: object): void {
    this.#progress.push({ ...params })
  }

  hear(kind: Heard['kind'], params: object | undefined): void {
    this.#heard.push({ kind, params: { ...params } })
    this.#onHeard()
  }

  async #attempt(operation: Operation, act: (operation: Asking) => Promise<unknown>, errorOf: (error: unknown) => Answer['error']) {
    try {
      return { result: (await (operation.do === 'hear' ? this.#listen(operation) : this.#reply(() => act(operation)))) as Json }
    } catch (error) {
      const known = errorOf(error)
      return known === undefined ? { thrown: String(error) } : { error: known }
    }
  }

  #reply(act: () => Promise<unknown>): Promise<unknown> {
    if (this.#patience.replyMs === 0) throw new Error('not tried')
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => {
      this.#patience = { hearMs: 0, replyMs: 0 }
      reject(new Error('no reply'))
    }, this.#patience.replyMs)
    act().then(resolve, reject)
    return promise.finally(() => clearTimeout(timer))
  }

  #listen({ what, holding }: Hearing): Promise<Json> {
    const { promise, resolve, reject } = Promise.withResolvers<Json>()
    const timer = setTimeout(() => {
      this.#patience = { ...this.#patience, hearMs: 0 }
      reject(new Error(`no ${what} with ${holding}`))
    }, this.#patience.hearMs)
    this.#onHeard = () => {
      const found = this.#heard.findIndex(({ kind, params }) => kind === what && JSON.stringify(params).includes(holding))
      if (found >= 0) for (const { params } of this.#heard.splice(found, 1)) resolve(params)
    }
    this.#onHeard()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#onHeard = () => {}
    })
  }
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
