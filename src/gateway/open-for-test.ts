import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type Config, parseConfig } from '../config/config.ts'
import type { Exchange } from '../mcp/mcp.ts'
import { createAudit, createLog, createMetrics, type Log } from '../observe/observe.ts'
import { createGateway, type Gateway, type GatewayDeps, socketOf } from './gateway.ts'

/** For tests: a Config of a document that needs nothing from outside. */
export function configOf(document: string): Config {
  const { config, problems } = parseConfig(document, { env: {}, readFile: () => '' })
  assert.ok(config, JSON.stringify(problems))
  return config
}

/** `openListener`, which belongs to a layer above: the test gives it. */
export type Listen = (options: {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly onExchange: (exchange: Exchange) => void
}) => Promise<{ readonly kind: 'open'; readonly port: number; close(): void } | { readonly kind: 'port-in-use' | 'failed' }>

export interface TestGateway {
  readonly gateway: Gateway
  readonly port: number
  close(): Promise<void>
}

/** For tests: a log that nobody reads. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, request() {}, flush() {}, dropped: 0 }

/** For tests: a gateway that serves its first listener on a free port of loopback. */
export async function openGateway(
  config: Config,
  listen: Listen,
  deps: Partial<Pick<GatewayDeps, 'log' | 'metrics' | 'openAudit' | 'buffers'>> = {},
): Promise<TestGateway> {
  const [first] = config.listeners
  assert.ok(first)
  const log = createLog({ level: 'error', format: 'json', color: false, stream: process.stderr })
  const gateway = createGateway(config, {
    info: { name: 'mcplex', version: '1' },
    log,
    metrics: createMetrics(),
    now: () => performance.now(),
    random: randomBytes,
    secret: (reference) => reference,
    openAudit: (settings) => createAudit(settings, { now: Date.now, log, stdout: process.stdout }),
    ...deps,
  })
  const onExchange = (exchange: Exchange) => void gateway.serve(exchange)
  const listener = await listen({ name: socketOf(first), address: '127.0.0.1', port: 0, onExchange })
  assert.ok(listener.kind === 'open')
  return {
    gateway,
    port: listener.port,
    async close() {
      listener.close()
      await gateway.close(0)
    },
  }
}
