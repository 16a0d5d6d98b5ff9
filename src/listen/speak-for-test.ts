import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** A client that sends exactly the bytes that it is given. */
export interface Speaker {
  readonly socket: Socket
  /** Everything received so far. */
  heard(): string
  /** The final statuses received so far, in order. */
  statuses(): number[]
  /** Resolves when `isIt` is true of everything received; rejects when the connection closes before. */
  until(isIt: (heard: string) => boolean): Promise<string>
  /** Resolves with everything received when the other side has closed, then closes this side. */
  closed(): Promise<string>
}

/**
 * Connects to a loopback port and sends bytes.
 * @param tls options of TLS; absent: plain TCP
 */
export async function speak(port: number, bytes = '', tls?: ConnectionOptions): Promise<Speaker> {
  const place = { port, host: '127.0.0.1', allowHalfOpen: true }
  const socket = tls === undefined ? connect(place) : connectTls({ ...place, ...tls })
  let heard = ''
  let isClosed = false
  let wake: (() => void)[] = []
  const changed = () => {
    const waiting = wake
    wake = []
    for (const resolve of waiting) resolve()
  }
  const onClosed = () => {
    isClosed = true
    changed()
  }
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1')
    changed()
  })
  socket.on('end', onClosed)
  socket.on('close', onClosed)
  socket.on('error', onClosed)
  if (bytes !== '') socket.write(bytes, 'latin1')
  return {
    socket,
    heard: () => heard,
    statuses: () => statusesOf(heard),
    async until(isIt) {
      while (!isIt(heard)) {
        if (isClosed) throw new Error(`closed after: ${heard}`)
        await new Promise<void>((resolve) => wake.push(resolve))
      }
      return heard
    },
    async closed() {
      while (!isClosed) await new Promise<void>((resolve) => wake.push(resolve))
      socket.destroy()
      return heard
    },
  }
}

/** The statuses of all replies in a text, without 1xx. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map((match) => Number(match[1]))
}
