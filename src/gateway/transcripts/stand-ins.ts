/** Names that stand in a transcript for what is another in every run. */
export class StandIns {
  readonly #values = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #ids = new Map<string, string>()

  /** Numbers start again; what was named stays known until its name is given anew. */
  startCase(): void {
    this.#counts.clear()
    this.#ids.clear()
  }

  /** What a client got, as the transcript has it. */
  hide(text: string): string {
    return text
      .replace(/"(id|requestId|requestState|nextCursor)":"(process\.[\w-]+)"/g, (_, key, value) => `"${key}":"${this.#nameOf(key, value)}"`)
      .replace(/"elicitationId":"([\w-]{16})"/g, (_, value) => `"elicitationId":"${this.#nameOf('elicitationId', value)}"`)
      .replace(/("(?:mcplex.dev\/)?requestId":)"(?!ASK-)[^"]+"/g, '$1"REQUEST"')
      .replace(/("ttlMs":)\d\d+/, '$1TTL')
  }

  /** What a client sends, from what the transcript has. */
  reveal(text: string): string {
    return text.replace(/\b(?:ASK|STATE|CURSOR|ELICITATION)-\d+/g, (name) => this.#values.get(name) ?? name)
  }

  /** What a server got; its id is from now on called by the label. */
  hideIds(body: string, label: string): string {
    const id = /^\{"jsonrpc":"2.0","id":(\d+),"method"/.exec(body)?.[1]
    if (id !== undefined) this.#ids.set(id, label === '' ? 'N' : `N.${label}`)
    const called = (all: string, key: string, value: string) => (this.#ids.has(value) ? `${key}${this.#ids.get(value)}` : all)
    return body.replace(/^(\{"jsonrpc":"2.0","id":)(\d+)(?=,"method")/, called).replace(/("(?:requestId|progressToken)":)(\d+)/g, called)
  }

  /** What a server sends; `N` alone is the id that the label is for. The newest id of a name is meant. */
  revealIds(text: string, label: string): string {
    const own = label === '' ? 'N' : `N.${label}`
    const idOf = (name: string) => [...this.#ids].findLast(([, one]) => one === (name === 'N' ? own : name))?.[0] ?? name
    return text.replace(/(?<=:)N(?:\.\w+)?(?=[,}])/g, idOf)
  }

  #nameOf(key: string, value: string): string {
    for (const [name, known] of this.#values) if (known === value) return name
    const word = words[key] ?? 'ASK'
    const count = (this.#counts.get(word) ?? 0) + 1
    this.#counts.set(word, count)
    this.#values.set(`${word}-${count}`, value)
    return `${word}-${count}`
  }
}

const words: Readonly<Record<string, string>> = { requestState: 'STATE', nextCursor: 'CURSOR', elicitationId: 'ELICITATION' }
