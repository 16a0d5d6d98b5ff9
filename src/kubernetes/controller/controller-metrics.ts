import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { PollMetrics } from '../proxies/proxies.ts'
import type { WriteMetrics } from '../writes/writes.ts'

/** The controller's metrics. Their labels have kinds, never names of objects. */
export interface ControllerMetrics extends WriteMetrics, PollMetrics {
  observeReconcile(durationMs: number): void
  countInterruption(kind: string): void
  setLeader(isLeader: boolean): void
  /** Prometheus text exposition 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
}

/** Metrics in a registry of their own. */
export function createControllerMetrics(): ControllerMetrics {
  const registry = new Registry()
  const registers = [registry]
  const reconciles = new Histogram({
    name: 'mcplex_controller_reconcile_duration_seconds',
    help: 'Translations of all objects.',
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers,
  })
  const writes = new Counter({
    name: 'mcplex_controller_writes_total',
    help: 'Requests that change something in the cluster, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const interruptions = new Counter({
    name: 'mcplex_controller_watch_interruptions_total',
    help: 'Times that a kind could not be followed.',
    labelNames: ['kind'],
    registers,
  })
  const leader = new Gauge({ name: 'mcplex_controller_is_leader', help: '1 in the one controller that writes.', registers })
  const proxies = new Gauge({ name: 'mcplex_controller_proxies', help: 'Proxies that are asked what they serve.', registers })
  const polls = new Counter({
    name: 'mcplex_controller_proxy_polls_total',
    help: 'Times that a proxy was asked what it serves, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  return {
    observeReconcile: (durationMs) => reconciles.observe(durationMs / 1000),
    countWrite: (kind, outcome) => writes.inc({ kind, outcome }),
    countInterruption: (kind) => interruptions.inc({ kind }),
    setLeader: (isLeader) => leader.set(isLeader ? 1 : 0),
    setProxies: (count) => proxies.set(count),
    countPoll: (outcome) => polls.inc({ outcome }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
