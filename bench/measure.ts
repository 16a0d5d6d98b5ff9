import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findFreePort, type Gateway } from './gateways.ts'
import { type PinnedProcess, startPinned } from './pinned-process.ts'
import { type Endpoint, type Era, type Kind, type McpRequest, makeRequest, openSession, probe } from './requests.ts'

/** The core of the gateway under test. */
export const gatewayCore = 0
/** The core of everything else: load, servers, the benchmark itself. */
export const loadCore = 1

const run = promisify(execFile)
const connections = 32
/** Before each further kind: most of what it runs is warm by then. */
const furtherWarmUpSeconds = 1
const aloneSeconds = 1
const startSeconds = 30

/** How one round is measured. */
export interface Round {
  readonly directory: string
  readonly kinds: readonly Kind[]
  readonly seconds: number
  readonly era: Era
  readonly upstreamPorts: readonly [number, number]
  readonly signal: AbortSignal
}

/** What one gateway used in one round. */
export interface Measurement {
  readonly readySeconds: number
  readonly idleMb: number
  readonly loadMb: number
  readonly p50Us: number
  /** CPU time of the gateway's processes for each request. */
  readonly cpuUs: Readonly<Partial<Record<Kind, number>>>
  readonly requestsPerSecond: Readonly<Partial<Record<Kind, number>>>
  /** Replies that were missing, failed or wrong; while warming up each one is read, while measuring only its status is. */
  readonly bad: number
}

/** Starts a gateway, proves that it answers rightly, measures it and ends it. Throws with the end of its output where it doesn't serve. */
export async function measure(gateway: Gateway, round: Round): Promise<Measurement> {
  const directory = join(round.directory, gateway.name)
  mkdirSync(directory, { recursive: true })
  const port = await findFreePort()
  const command = await gateway.prepare(directory, port, round.upstreamPorts)
  const endpoint: Endpoint = { url: `http://127.0.0.1:${port}/mcp`, era: round.era, prefixes: gateway.prefixes }
  const logFile = join(directory, 'output.log')
  const start = performance.now()
  const child = startPinned(gatewayCore, command, logFile)
  try {
    const session = await waitUntilReady(child, endpoint, round.signal)
    const readySeconds = (performance.now() - start) / 1000
    const idleMb = child.residentMb()
    return { readySeconds, idleMb, ...(await load(child, endpoint, session, gateway.warmUpSeconds, round)) }
  } catch (error) {
    round.signal.throwIfAborted()
    throw new Error(`${gateway.name}: ${String(error)}\n${readFileSync(logFile, 'utf8').slice(-1000)}`, { cause: error })
  } finally {
    await child.stop()
  }
}

/** Greets an endpoint until it answers, and returns its legacy session's id, if any. Throws when the process ends, `signal` aborts or half a minute is over. */
export async function waitUntilReady(child: PinnedProcess, endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined> {
  const deadline = performance.now() + startSeconds * 1000
  for (;;) {
    try {
      return await openSession(endpoint)
    } catch (error) {
      signal.throwIfAborted()
      const ended = child.ended()
      if (ended !== undefined) throw new Error(ended)
      if (performance.now() > deadline) throw new Error(`not ready within ${startSeconds} s`, { cause: error })
      await delay(10)
    }
  }
}

async function load(child: PinnedProcess, endpoint: Endpoint, session: string | undefined, warmUpSeconds: number, round: Round) {
  const cpuUs: Partial<Record<Kind, number>> = {}
  const requestsPerSecond: Partial<Record<Kind, number>> = {}
  let bad = 0
  await probe(endpoint, session)
  for (const [index, kind] of round.kinds.entries()) {
    const request = makeRequest(kind, endpoint, session)
    const seconds = index === 0 ? warmUpSeconds : furtherWarmUpSeconds
    const warmUp = await runWrk(endpoint.url, request, { connections, seconds, isChecked: true, signal: round.signal })
    const before = child.cpuUs()
    const measured = await runWrk(endpoint.url, request, { connections, seconds: round.seconds, isChecked: false, signal: round.signal })
    if (measured.requests === 0) throw new Error(`no reply to ${kind}`)
    cpuUs[kind] = (child.cpuUs() - before) / measured.requests
    requestsPerSecond[kind] = measured.requests / round.seconds
    bad += warmUp.bad + measured.bad
  }
  const alone = makeRequest('call', endpoint, session)
  const { p50Us } = await runWrk(endpoint.url, alone, { connections: 1, seconds: aloneSeconds, isChecked: false, signal: round.signal })
  const loadMb = child.residentMb()
  await probe(endpoint, session)
  return { cpuUs, requestsPerSecond, p50Us, loadMb, bad }
}

interface Load {
  readonly connections: number
  readonly seconds: number
  readonly isChecked: boolean
  readonly signal: AbortSignal
}

async function runWrk(url: string, request: McpRequest, { connections, seconds, isChecked, signal }: Load) {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`)
  const env = {
    ...process.env,
    BENCH_BODY: request.body,
    BENCH_HEADERS: headers.join('\n'),
    ...(isChecked ? { BENCH_EXPECT: request.expected } : {}),
  }
  const wrk = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', join(import.meta.dirname, 'load.lua'), url]
  const { stdout } = await run('taskset', ['-c', String(loadCore), ...wrk], { env, signal })
  const line = stdout.match(/^RESULT (.*)$/m)?.[1]
  if (line === undefined) throw new Error(`wrk says: ${stdout}`)
  return JSON.parse(line) as { readonly requests: number; readonly bad: number; readonly p50Us: number }
}
