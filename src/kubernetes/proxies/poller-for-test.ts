import type { TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLog } from '../../observe/observe.ts'
import type { Raw } from '../objects/objects.ts'
import type { AskProxy, ProxyAnswer } from './ask-proxy.ts'
import type { AskedGateway } from './followed-gateway.ts'
import { createProxyPoller } from './proxy-poller.ts'

export const digests = { a: 'a'.repeat(64), b: 'b'.repeat(64) }
/** An answer of a proxy that serves the document with this digest. */
export const status = (digest: string, more: Raw = {}, bytes = 100): ProxyAnswer => ({
  kind: 'answered',
  body: Buffer.from(JSON.stringify({ version: '1.0.0', source: { digest }, ...more })),
  bytes,
})
export const failed: ProxyAnswer = { kind: 'failed', text: 'ECONNREFUSED', bytes: 0 }

/** A Gateway with ready proxies at these addresses. */
export const gateway = (addresses: readonly string[], more: Partial<AskedGateway> = {}): AskedGateway => ({
  digest: digests.a,
  document: {},
  version: '1',
  token: 'token',
  addresses: addresses.map((address) => ({ address, isReady: true })),
  ...more,
})
/** This many addresses. */
export const many = (count: number, net = '10.0') =>
  Array.from({ length: count }, (_, index) => `${net}.${Math.floor(index / 250)}.${index % 250}`)

/** A poller whose clock the test moves. */
export function start(t: TestContext, answer: (address: string) => ProxyAnswer | 'silent' | undefined = () => status(digests.a)) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let timeMs = 0
  let changes = 0
  const asked: { readonly atMs: number; readonly address: string; readonly token: string }[] = []
  const open = new Map<string, (answer: ProxyAnswer) => void>()
  let known = 0
  const outcomes: string[] = []
  const ask: AskProxy = (address, token) => {
    asked.push({ atMs: timeMs, address, token })
    const said = answer(address)
    if (said === 'silent') return new Promise((resolve) => setTimeout(resolve, 2000, failed))
    if (said !== undefined) return Promise.resolve(said)
    return new Promise((resolve) => open.set(address, resolve))
  }
  const poller = createProxyPoller({
    ask,
    onChange: () => changes++,
    log: createLog({ level: 'error', format: 'json', stream: { write: () => true, on: () => undefined }, color: false }),
    metrics: {
      setProxies(count) {
        known = count
      },
      countPoll: (outcome) => outcomes.push(outcome),
    },
    now: () => timeMs,
    random: () => 0.5,
  })
  t.after(() => poller.close())
  return {
    poller,
    asked,
    outcomes,
    known: () => known,
    changes: () => changes,
    timesOf: (address: string) => asked.flatMap((one) => (one.address === address ? [one.atMs] : [])),
    open,
    /** Time goes by while something is done. */
    spend(ms: number) {
      timeMs += ms
    },
    async pass(ms: number) {
      for (const untilMs = timeMs + ms; timeMs < untilMs; ) {
        timeMs += 10
        t.mock.timers.tick(10)
        await setImmediate()
      }
    },
    follow: (gateways: Readonly<Record<string, AskedGateway>>) => poller.follow(new Map(Object.entries(gateways))),
    answerOpen(said: ProxyAnswer) {
      for (const resolve of open.values()) resolve(said)
      open.clear()
    },
  }
}
