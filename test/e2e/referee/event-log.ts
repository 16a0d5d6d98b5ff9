import type { EventId, EventStore, StreamId } from '@modelcontextprotocol/server'

type Message = Parameters<EventStore['storeEvent']>[1]

/** What one session sent, so that a client that comes back gets what it missed. Holds the last 1,000 messages. */
export class EventLog implements EventStore {
  readonly #events = new Map<EventId, { readonly stream: StreamId; readonly message: Message }>()
  #count = 0

  async storeEvent(stream: StreamId, message: Message): Promise<EventId> {
    const id = String(++this.#count)
    this.#events.set(id, { stream, message })
    this.#events.delete(String(this.#count - 1000))
    return id
  }

  async getStreamIdForEventId(id: EventId): Promise<StreamId | undefined> {
    return this.#events.get(id)?.stream
  }

  async replayEventsAfter(last: EventId, { send }: { send: (id: EventId, message: Message) => Promise<void> }): Promise<StreamId> {
    const stream = this.#events.get(last)?.stream ?? ''
    for (const [id, event] of this.#events) {
      const isMissed = event.stream === stream && Number(id) > Number(last)
      // The event that opens a stream holds no message.
      if (isMissed && 'jsonrpc' in event.message) await send(id, event.message)
    }
    return stream
  }
}
