import { Counter, Gauge, type Registry } from 'prom-client'

/** An audit sink for its gauge. */
export interface SinkState {
  /** Such as `file /var/log/audit.jsonl`. */
  readonly name: string
  readonly isWell: boolean
}

/** What is read from the process when its metrics are collected. A part that was not given is not known yet. */
export interface ProcessState {
  /** Whether `/readyz` would say 200. */
  readonly isReady: () => boolean
  /** How many ways through listeners and routes refuse every request now. */
  readonly closedWays: () => number
  readonly sinks: () => readonly SinkState[]
  /** How many audit records some sink has lost since the process began. */
  readonly lostRecords: () => number
  readonly buffers: () => BuffersState
}

/** What is held of servers. */
export interface BuffersState {
  readonly heldBytes: number
  readonly limitBytes: number
  /** How often what was held had to be given up. */
  readonly givenUp: number
}

const noBuffers: BuffersState = { heldBytes: 0, limitBytes: 0, givenUp: 0 }

export interface StateMetrics {
  /** Sets what is read from now on; each part replaces the one given for it before. */
  show(state: Partial<ProcessState>): void
  /** Notes that the first configuration is in force. */
  noteStart(): void
  countReload(outcome: 'applied' | 'refused'): void
}

export interface StateMetricsOptions {
  /** This program's. */
  readonly version: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Metrics of the process as a whole: its version, whether it is ready, its last reload, and the resources it uses. */
export function createStateMetrics(registers: Registry[], { version, now }: StateMetricsOptions): StateMetrics {
  let state: ProcessState = { isReady: () => false, closedWays: () => 0, sinks: () => [], lostRecords: () => 0, buffers: () => noBuffers }
  const build = new Gauge({
    name: 'mcplex_build_info',
    help: 'Always 1: which program this is.',
    labelNames: ['version', 'node_version'],
    registers,
  })
  build.set({ version, node_version: process.versions.node }, 1)
  new Gauge({
    name: 'mcplex_ready',
    help: '1 while /readyz says 200.',
    registers,
    collect() {
      this.set(state.isReady() ? 1 : 0)
    },
  })
  new Gauge({
    name: 'mcplex_routes_closed',
    help: 'Rules of routes, at each listener, on which every request is refused at the moment.',
    registers,
    collect() {
      this.set(state.closedWays())
    },
  })
  new Gauge({
    name: 'mcplex_audit_sink_up',
    help: '1 while the sink takes records of audit.',
    labelNames: ['sink'],
    registers,
    collect() {
      this.reset()
      for (const { name, isWell } of state.sinks()) this.set({ sink: name }, isWell ? 1 : 0)
    },
  })
  new Counter({
    name: 'mcplex_audit_lost_records_total',
    help: 'Records of audit that a sink did not take.',
    registers,
    collect() {
      this.reset()
      this.inc(state.lostRecords())
    },
  })
  new Gauge({
    name: 'mcplex_buffered_bytes',
    help: 'Bytes held of servers: answers and events that are not whole, and what clients have not taken.',
    registers,
    collect() {
      this.set(state.buffers().heldBytes)
    },
  })
  new Gauge({
    name: 'mcplex_buffered_limit_bytes',
    help: 'How many bytes may be held of servers.',
    registers,
    collect() {
      this.set(state.buffers().limitBytes)
    },
  })
  new Counter({
    name: 'mcplex_buffered_given_up_total',
    help: 'Answers, streams and clients that were given up as too much was held.',
    registers,
    collect() {
      this.reset()
      this.inc(state.buffers().givenUp)
    },
  })
  const reloads = new Counter({
    name: 'mcplex_config_reloads_total',
    help: 'Changes of the configuration.',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of ['applied', 'refused']) reloads.inc({ outcome }, 0)
  const isLastGood = new Gauge({
    name: 'mcplex_config_last_reload_successful',
    help: '1 where the newest configuration is in force, 0 where it was refused.',
    registers,
  })
  const lastGoodAt = new Gauge({
    name: 'mcplex_config_last_reload_success_timestamp_seconds',
    help: 'When a configuration was last put in force, in seconds since 1970.',
    registers,
  })
  const note = (isGood: boolean) => {
    isLastGood.set(isGood ? 1 : 0)
    if (isGood) lastGoodAt.set(now() / 1000)
  }
  addProcessMetrics(registers)

  return {
    show(more) {
      state = { ...state, ...more }
    },
    noteStart: () => note(true),
    countReload(outcome) {
      reloads.inc({ outcome })
      note(outcome === 'applied')
    },
  }
}

/** Adds metrics of the operating system's process, which cost nothing until they are collected. */
function addProcessMetrics(registers: Registry[]): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  const gauges = {
    process_resident_memory_bytes: { help: 'Resident memory.', read: () => process.memoryUsage.rss() },
    process_start_time_seconds: { help: 'Start, in seconds since 1970.', read: () => performance.timeOrigin / 1000 },
    nodejs_heap_size_used_bytes: { help: 'JavaScript heap in use.', read: () => process.memoryUsage().heapUsed },
  }
  for (const [name, { help, read }] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
}
