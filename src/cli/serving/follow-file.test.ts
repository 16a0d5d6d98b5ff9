import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLog, createMetrics, type LogFormat, type RequestRecord } from '../../observe/observe.ts'
import { readDocument } from '../document/document.ts'
import { followFile } from './follow-file.ts'
import { createAuditing } from './open-audit.ts'
import { startGateway } from './start-gateway.ts'

const own = 'listen: "127.0.0.1:0"\nadmin: { listen: "127.0.0.1:0" }\n'

/** A gateway that follows a file, and what it writes to stderr. */
async function open(
  t: TestContext,
  { format, body, isTTY = false }: { readonly format: LogFormat; readonly body: string; readonly isTTY?: boolean },
) {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  const file = join(folder, 'mcplex.yaml')
  const write = (text: string) => writeFileSync(file, `${own}observe: { log: { format: ${format} } }\n${text}`)
  write(body)
  let heard = ''
  let wake = () => {}
  const stderr = {
    isTTY,
    on() {},
    write(text: string, done?: () => void) {
      heard += text
      done?.()
      wake()
    },
  }
  const terminal = { stderr, env: { NO_COLOR: '1' } }
  const document = readDocument(file, terminal)
  assert.ok(document.config)
  const log = createLog({ level: 'info', format, stream: stderr, color: false })
  const metrics = createMetrics()
  const auditing = createAuditing(file, { log, metrics }, { ...terminal, stdout: stderr, cwd: () => folder, on() {}, exit() {} })
  const started = await startGateway(document.config, { log, metrics, auditing, secret: (reference) => reference })
  assert.ok(started.kind === 'started')
  const following = followFile(document, { started, log, metrics }, terminal)
  t.after(async () => {
    following.close()
    await started.stop({ delay: Promise.resolve(), graceMs: 0 })
    rmSync(folder, { recursive: true })
  })
  return {
    file,
    write,
    metrics,
    following,
    /** What was said up to these words; then it is forgotten. */
    async hears(words: string): Promise<string> {
      while (!heard.includes(words)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const said = heard
      heard = ''
      return said
    },
    async metric(name: string): Promise<string | undefined> {
      return (await metrics.text())
        .split('\n')
        .find((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        ?.replace(/^\S+ /, '')
    },
  }
}

const recordsIn = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

const nothing = {
  route: undefined,
  caller: undefined,
  backend: undefined,
  server: undefined,
  name: undefined,
  clientEra: undefined,
  serverEra: undefined,
}
const unknownRequest: RequestRecord = {
  ...nothing,
  requestId: 'r',
  agent: undefined,
  method: 'ping',
  outcome: 'ok',
  reason: undefined,
  rule: undefined,
  path: undefined,
  withheld: undefined,
  httpStatus: 200,
  rpcCode: undefined,
  durationMs: 1,
  upstreamMs: undefined,
  bytesIn: 1,
  bytesOut: 1,
  traceId: undefined,
}

const refused = 'the changed configuration is refused; the one before stays'
const inForce = 'the changed configuration is in force'

test('on a terminal a refused change is said as check says it', async (t) => {
  const house = await open(t, { format: 'text', body: 'servers: {}\n', isTTY: true })
  house.write('servers: {}\nlimts: {}\nlimits: { depth: x }\n')
  const said = await house.hears(refused)
  assert.ok(
    said.includes(`${house.file}:5:1 error unknown-key: there is no key \`limts\` here\n  5 | limts: {}\n    | ^\n  hint: did you mean`),
    said,
  )
  assert.match(said, /:6:18 error wrong-type: .*\n {2}6 \| limits: \{ depth: x \}\n/)
  assert.match(said, /error the changed configuration is refused; the one before stays file=\S+ errors=2\n$/)
  assert.equal(await house.metric('mcplex_config_last_reload_successful'), '0')
})

test('text that is collected has no line of the document, which may hold a secret', async (t) => {
  const house = await open(t, { format: 'text', body: 'servers: {}\n' })
  house.write('servers: {}\nlimts: a-secret-value\n')
  const said = await house.hears(refused)
  assert.ok(said.includes(`${house.file}:5:1 error unknown-key: there is no key \`limts\` here\n  hint: did you mean`), said)
  assert.ok(!said.includes('a-secret-value'), said)
})

test('where the log is JSON, a record a problem; what is put in force says what it changed', async (t) => {
  const house = await open(t, { format: 'json', body: 'servers: {}\n' })
  assert.equal(await house.metric('mcplex_config_last_reload_successful'), '1')
  house.write('servers: {}\nlimts: {}\nlimits: { depth: x }\n')
  const records = recordsIn(await house.hears(refused))
  assert.deepEqual(
    records.map(({ level, msg, code, place, line, column, errors }) => ({ level, msg, code, place, line, column, errors })),
    [
      {
        level: 'error',
        msg: 'a problem of the configuration',
        code: 'unknown-key',
        place: 'limts',
        line: 5,
        column: 1,
        errors: undefined,
      },
      {
        level: 'error',
        msg: 'a problem of the configuration',
        code: 'wrong-type',
        place: 'limits.depth',
        line: 6,
        column: 18,
        errors: undefined,
      },
      { level: 'error', msg: refused, code: undefined, place: undefined, line: undefined, column: undefined, errors: 2 },
    ],
  )
  assert.equal(await house.metric('mcplex_config_last_reload_successful'), '0')

  house.write('servers: {}\nagents: { sre: {} }\n')
  const [record] = recordsIn(await house.hears(inForce))
  assert.deepEqual([record?.['msg'], record?.['changes'], record?.['clientsTold']], [inForce, 'routes: -default; agents: +sre', 0])
  assert.equal(await house.metric('mcplex_config_last_reload_successful'), '1')
})

test('a port that is taken is a problem like any other', async (t) => {
  const house = await open(t, { format: 'json', body: 'servers: {}\n' })
  const taken = createServer()
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as AddressInfo
  writeFileSync(
    house.file,
    `listen: "127.0.0.1:${port}"\nadmin: { listen: "127.0.0.1:0" }\nobserve: { log: { format: json } }\nservers: {}\n`,
  )
  const [problem, record] = recordsIn(await house.hears(refused))
  assert.deepEqual(
    [problem?.['code'], problem?.['hint']],
    ['port-in-use', `end the program that has it, or choose another port: \`listen: ${port + 1}\` in the file, or --listen ${port + 1}`],
  )
  assert.equal(record?.['errors'], 1)
})

test('a file of records that can not be opened refuses a document; one that is in use already does not', async (t) => {
  const house = await open(t, { format: 'json', body: 'servers: {}\n' })
  const policies = (folder: string, more = '') =>
    `servers: {}\npolicies:\n  audit:\n    sinks: [{ file: ${folder}/a.jsonl }]\n    key: ${Buffer.alloc(32).toString('base64')}\n${more}`
  house.write(policies('logs'))
  const [problem, record] = recordsIn(await house.hears(refused)).filter(({ level }) => level === 'error')
  assert.deepEqual(
    [problem?.['code'], problem?.['place'], problem?.['line'], problem?.['column'], problem?.['hint']],
    ['unwritable-file', 'policies.audit.sinks[0].file', 7, 21, 'make the folder, or write another path'],
  )
  assert.equal(record?.['errors'], 1)

  const logs = join(dirname(house.file), 'logs')
  mkdirSync(logs)
  house.following.reload()
  await house.hears(inForce)
  // Rules are put in force although the disk is gone meanwhile.
  rmSync(logs, { recursive: true })
  house.write(policies('logs', '  authorize: { deny: ["true"] }\n'))
  const last = recordsIn(await house.hears(inForce)).at(-1)
  assert.equal(last?.['changes'], 'policies: +authorize')
})

test('the labels of metrics follow the document', async (t) => {
  const house = await open(t, { format: 'json', body: 'servers: {}\n' })
  const lines = async () =>
    [...(await house.metrics.text()).matchAll(/^mcp_server_operation_duration_seconds_count(.*)$/gm)].map(([, rest]) => rest)
  writeFileSync(house.file, `${own}observe: { log: { format: json }, metrics: { labels: [mcplex_agent] } }\nservers: {}\n`)
  await house.hears(inForce)
  house.metrics.observeRequest({ ...unknownRequest, agent: 'sre' })
  assert.deepEqual(await lines(), ['{mcplex_agent="sre"} 1'])
})

test('a reload that is asked for reads the file although it has not changed', async (t) => {
  const house = await open(t, { format: 'json', body: 'servers: {}\n' })
  house.following.reload()
  const [record] = recordsIn(await house.hears(inForce))
  assert.equal(record?.['changes'], 'nothing in the document itself')
  assert.equal(await house.metric('mcplex_config_reloads_total{outcome="applied"}'), '1')
})
