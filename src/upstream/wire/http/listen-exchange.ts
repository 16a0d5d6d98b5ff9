import type { Dispatcher } from 'undici'
import { member, type ServerBuffers, stringOf } from '../../../mcp/mcp.ts'
import type { Listen } from '../connector.ts'
import { BodyReader, givenUpText, type Reading, single } from './body-reader.ts'
import { Pace } from './pace.ts'
import type { HttpSettings } from './settings.ts'

type Controller = Dispatcher.DispatchController

/** A stream of the server's messages. */
export class ListenExchange implements Dispatcher.DispatchHandler, Reading {
  private readonly request: Listen
  private readonly reader: BodyReader
  private controller: Controller | undefined
  private status = 0
  private isClosed = false
  private readonly pace = new Pace(() => performance.now())

  constructor(request: Listen, settings: HttpSettings, buffers: ServerBuffers) {
    this.request = request
    this.reader = new BodyReader(settings, buffers, this)
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reader.close()
    this.controller?.abort(new Error('closed'))
  }

  giveUp(): void {
    this.controller?.abort(new Error(givenUpText))
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.isClosed) controller.abort(new Error('closed'))
  }

  onResponseStart(controller: Controller, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return
    this.status = status
    this.reader.start(single(headers['content-type'])?.toLowerCase() ?? '')
    if (status !== 200 || !this.reader.isStream) controller.abort(new Error('no stream'))
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const messages = this.reader.feed(chunk)
    if (typeof messages === 'string') return controller.abort(new Error(messages))
    for (const message of messages) {
      const method = member(message.top, 'method')
      this.request.onMessage(message, method === undefined ? undefined : stringOf(message.text, method))
    }
    if (this.isClosed) return
    const load = { messages: messages.length, lines: this.reader.takeLines(), bytes: chunk.length }
    this.pace.took(controller, load, this.request.drained?.())
  }

  onResponseEnd(): void {
    this.end()
  }

  onResponseError(): void {
    this.end()
  }

  private end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.reader.close()
    this.request.onEnd(this.status, this.reader.retryMs, this.reader.lastEventId ?? this.request.lastEventId)
  }
}
