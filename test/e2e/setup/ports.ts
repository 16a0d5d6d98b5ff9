import { connect, createServer } from 'node:net'
import type { Child } from './child.ts'
import { until } from './wait.ts'

// Below the range from which the kernel takes ports of outgoing connections, so that none of those takes a port between its choice and its use.
const lowest = 20_000
const highest = 32_000
let next = lowest + Math.floor(Math.random() * (highest - lowest))

/** A TCP port of 127.0.0.1 that nothing listens on and that this process gives out once. */
export async function freePort(): Promise<number> {
  for (;;) {
    next = next >= highest ? lowest : next + 1
    const port = next
    if (await canListen(port)) return port
  }
}

/** Resolves when the child accepts connections on the port; throws with its output where it ends first. */
export async function listening(child: Child, port: number): Promise<void> {
  const explain = () => `${child.stdout()}${child.stderr()}`
  await until(
    `port ${port} of process ${child.pid}`,
    async () => {
      if (!child.isRunning) return 'ended'
      return (await canConnect(port)) ? 'listening' : undefined
    },
    { timeoutMs: 60_000, explain },
  ).then((state) => {
    if (state === 'ended') throw new Error(`process ${child.pid} ended before it listened on ${port}:\n${explain()}`)
  })
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Whether something accepts connections on a port of 127.0.0.1. */
export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
