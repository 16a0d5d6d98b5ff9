import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http'
import { within } from './patience.ts'
import type { StandIns } from './stand-ins.ts'
import { type Block, splitLines } from './transcript.ts'

const shownReply = ['content-type', 'mcp-session-id', 'allow', 'retry-after', 'access-control-allow-origin']

interface Exchange {
  readonly request: ClientRequest
  readonly reply: Promise<IncomingMessage>
  /** What came of a stream and has not been looked at. */
  text: string
  isEnded: boolean
  isSeen: boolean
}

/** The client's side of a transcript: what it sends, and the replies as they come. */
export class ScriptedClient {
  readonly #port: number
  readonly #standIns: StandIns
  readonly #exchanges = new Map<string, Exchange>()
  #session = ''
  #last: Exchange | undefined

  constructor(port: number, standIns: StandIns) {
    this.#port = port
    this.#standIns = standIns
  }

  /** Plays a block `>>> METHOD PATH`. */
  send({ title, lines }: Block, label: string): void {
    const [, method = '', path = ''] = title.split(' ')
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' }
    if (method === 'POST') headers['content-type'] = 'application/json'
    const { fields, body } = splitLines(lines)
    for (const [name, value] of fields) {
      if (value === '(none)') delete headers[name]
      else headers[name] = value === 'SESSION' ? this.#session : value
    }
    const request = openRequest({ port: this.#port, host: '127.0.0.1', method, path, headers })
    const reply = once(request, 'response').then(([response]) => (response as IncomingMessage).setEncoding('utf8'))
    const exchange: Exchange = { request, reply, text: '', isEnded: false, isSeen: false }
    reply.then(
      (response) => {
        response.on('data', (chunk: string) => {
          exchange.text += chunk
        })
        response.on('close', () => {
          exchange.isEnded = true
        })
        response.on('error', () => {})
      },
      () => {},
    )
    this.#exchanges.set(label, exchange)
    this.#last = exchange
    request.end(this.#standIns.reveal(body.join('\n')))
  }

  /** The head of a reply, and its body: whole, or that many events. */
  async receive(label: string, events: number | undefined): Promise<{ status: number | undefined; lines: string[] }> {
    const exchange = this.#of(label)
    const response = await within(exchange.reply, 'a reply')
    exchange.isSeen = true
    const session = response.headers['mcp-session-id']
    if (typeof session === 'string') this.#session = session
    const fields = shownReply.flatMap((name) => {
      const value = response.headers[name]
      if (value === undefined || value === 'application/json') return []
      return [`${name}: ${name === 'mcp-session-id' ? 'SESSION' : value}`]
    })
    return {
      status: response.statusCode,
      lines: [...fields, ...(events === undefined ? await this.rest(label) : await this.more(label, events))],
    }
  }

  /** The next events of a stream that goes on. */
  async more(label: string, events: number): Promise<string[]> {
    const exchange = this.#of(label)
    await this.#until(exchange, () => eventsIn(exchange).length >= events, `${events} events`)
    const all = eventsIn(exchange)
    exchange.text = exchange.text.slice(exchange.text.lastIndexOf('\n\n') + 2)
    exchange.text = [...all.slice(events).map((event) => `${event}\n\n`), exchange.text].join('')
    return all.slice(0, events).map((event) => this.#standIns.hide(event))
  }

  /** What comes until the end. */
  async rest(label: string): Promise<string[]> {
    const exchange = this.#of(label)
    await this.#until(exchange, () => exchange.isEnded, 'the end of a reply')
    const { text } = exchange
    exchange.text = ''
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith(':'))
    return lines.map((line) => this.#standIns.hide(line))
  }

  goAway(label: string): void {
    this.#of(label).request.destroy()
    this.#exchanges.delete(label)
    this.#last = undefined
  }

  /** Rejects when a reply ends that was not looked at yet, for whoever waits for a server to be asked first. */
  answeredAlone(): Promise<never> {
    return new Promise((_, reject) => {
      const exchange = this.#last
      if (exchange === undefined || exchange.isSeen) return
      exchange.reply.then((response) => response.on('end', () => reject(new Error(`no server was asked: ${exchange.text}`))), reject)
    })
  }

  /** Events that came and that the transcript does not have. */
  unexpected(): readonly string[] {
    return [...this.#exchanges.values()].flatMap(eventsIn)
  }

  #of(label: string): Exchange {
    const exchange = this.#exchanges.get(label)
    if (exchange === undefined) throw new Error(`no exchange ${label}`)
    return exchange
  }

  async #until(exchange: Exchange, isSo: () => boolean, what: string): Promise<void> {
    const response = await exchange.reply
    const wait = async () => {
      while (!isSo()) {
        if (exchange.isEnded) throw new Error(`a reply ended before ${what}: ${exchange.text}`)
        await Promise.race([once(response, 'data'), once(response, 'close')])
      }
    }
    await within(wait(), `${what}; there is ${exchange.text}`)
  }
}

function eventsIn({ text }: Exchange): string[] {
  return [...text.matchAll(/[\s\S]*?\n\n/g)].map(([event]) => event.trimEnd()).filter((event) => event !== '' && !event.startsWith(':'))
}
