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
  /** Undefined where a bare gateway ran beside it. */
  readonly p50Us: number | undefined
  /** CPU time of the gateway's processes for each request. */
  readonly cpuUs: Readonly<Partial<Record<Kind, number>>>
  /** That of a call through the bare gateway beside it, at the same time. */
  readonly bareCpuUs: Readonly<Partial<Record<Kind, number>>>
  readonly requestsPerSecond: Readonly<Partial<Record<Kind, number>>>
  /** Replies that were missing, failed or wrong; while warming up each one is read, while measuring only its status is. */
  readonly bad: number
}

/**
 * Starts a gateway, proves that it answers rightly, measures it and ends it. With a bare one beside it both run and are loaded at the same
 * time, so that whatever else the machine does weighs on both alike. Throws with the end of its output where one doesn't serve.
 */
export async function measure(gateway: Gateway, bare: Gateway | undefined, round: Round): Promise<Measurement> {
  const started: Started[] = []
  try {
    for (const one of bare === undefined ? [gateway] : [gateway, bare]) started.push(await start(one, round))
    const [own, beside] = started
    if (own === undefined) throw new Error('nothing to measure')
    const loaded = await load(own, beside, { ...round, kinds: gateway.kinds ?? round.kinds })
    await own.prove?.(own.endpoint.url)
    return { readySeconds: own.readySeconds, idleMb: own.idleMb, ...loaded }
  } catch (error) {
    round.signal.throwIfAborted()
    const ends = started.map(({ logFile }) => readFileSync(logFile, 'utf8').slice(-1000))
    throw new Error(`${gateway.name}: ${String(error)}\n${ends.join('\n')}`, { cause: error })
  } finally {
    await Promise.all(started.map(({ child }) => child.stop()))
  }
}

/** A gateway that answers. */
interface Started {
  readonly child: PinnedProcess
  readonly endpoint: Endpoint
  readonly session: string | undefined
  readonly logFile: string
  readonly readySeconds: number
  readonly idleMb: number
  readonly warmUpSeconds: number
  prove?(url: string): Promise<void>
}

async function start({ name, prefixes, warmUpSeconds, prepare }: Gateway, round: Round): Promise<Started> {
  const directory = join(round.directory, name)
  mkdirSync(directory, { recursive: true })
  const port = await findFreePort()
  const { command, headers = {}, prove } = await prepare(directory, port, round.upstreamPorts)
  const endpoint: Endpoint = { url: `http://127.0.0.1:${port}/mcp`, era: round.era, prefixes, headers }
  const logFile = join(directory, 'output.log')
  const begun = performance.now()
  const child = startPinned(gatewayCore, command, logFile)
  try {
    const session = await waitUntilReady(child, endpoint, round.signal)
    const readySeconds = (performance.now() - begun) / 1000
    return { child, endpoint, session, logFile, readySeconds, idleMb: child.residentMb(), warmUpSeconds, ...(prove && { prove }) }
  } catch (error) {
    await child.stop()
    throw new Error(`${String(error)}\n${readFileSync(logFile, 'utf8').slice(-1000)}`, { cause: error })
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

async function load(own: Started, bare: Started | undefined, round: Round) {
  const { child, endpoint, session } = own
  const { signal } = round
  const cpuUs: Partial<Record<Kind, number>> = {}
  const bareCpuUs: Partial<Record<Kind, number>> = {}
  const requestsPerSecond: Partial<Record<Kind, number>> = {}
  let bad = 0
  await probe(endpoint, session)
  for (const [index, kind] of round.kinds.entries()) {
    const targets = [{ ...own, request: makeRequest(kind, endpoint, session) }]
    if (bare !== undefined) targets.push({ ...bare, request: makeRequest('call', bare.endpoint, bare.session) })
    const runAll = (seconds: number, isChecked: boolean) =>
      Promise.all(targets.map((one) => runWrk(one.endpoint.url, one.request, { connections, seconds, isChecked, signal })))
    const warmUps = await runAll(index === 0 ? own.warmUpSeconds : furtherWarmUpSeconds * targets.length, true)
    const before = targets.map((one) => one.child.cpuUs())
    // Half a core each makes half as many requests.
    const seconds = round.seconds * targets.length
    const measured = await runAll(seconds, false)
    const [ownCost, bareCost] = targets.map((one, i) => (one.child.cpuUs() - (before[i] ?? 0)) / (measured[i]?.requests ?? 0))
    if (measured.some(({ requests }) => requests === 0) || ownCost === undefined) throw new Error(`no reply to ${kind}`)
    cpuUs[kind] = ownCost
    if (bareCost !== undefined) bareCpuUs[kind] = bareCost
    requestsPerSecond[kind] = (measured[0]?.requests ?? 0) / seconds
    bad += [...warmUps, ...measured].reduce((sum, one) => sum + one.bad, 0)
  }
  const alone = makeRequest('call', endpoint, session)
  const p50Us =
    bare === undefined
      ? (await runWrk(endpoint.url, alone, { connections: 1, seconds: aloneSeconds, isChecked: false, signal })).p50Us
      : undefined
  const loadMb = child.residentMb()
  await probe(endpoint, session)
  return { cpuUs, bareCpuUs, requestsPerSecond, p50Us, loadMb, bad }
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
