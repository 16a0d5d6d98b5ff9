import assert from 'node:assert/strict'
import type { Exchange } from '../mcp/mcp.ts'
import { defaultEdgeLimits, type EdgeLimits } from './limits.ts'
import type { EdgeRefusal, ListenerOptions, OpenListener } from './listener.ts'
import { openListener } from './open-listener.ts'

export interface TestListener {
  readonly listener: OpenListener
  readonly port: number
  readonly refusals: EdgeRefusal[]
  /** The next exchange that no one has taken yet. */
  next(): Promise<Exchange>
}

/** A listener on a free loopback port; exchanges wait in a queue unless `onExchange` takes them. */
export async function openForTest(limits: Partial<EdgeLimits> = {}, options: Partial<ListenerOptions> = {}): Promise<TestListener> {
  const refusals: EdgeRefusal[] = []
  const arrived: Exchange[] = []
  let wake: (() => void) | undefined
  const listener = await openListener({
    name: 'test',
    address: '127.0.0.1',
    port: 0,
    limits: { ...defaultEdgeLimits, ...limits },
    onExchange(exchange) {
      arrived.push(exchange)
      wake?.()
    },
    onEdgeRefusal: (refusal) => refusals.push(refusal),
    ...options,
  })
  assert.equal(listener.kind, 'open')
  return {
    listener,
    port: listener.port,
    refusals,
    async next() {
      for (;;) {
        const exchange = arrived.shift()
        if (exchange !== undefined) return exchange
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
