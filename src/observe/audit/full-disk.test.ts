import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const source = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)

/** Fills a disk of 1 MiB, sees what becomes of records, makes room, and reads the chain. */
const child = `
import { readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
const { createAudit } = await import(${source('./create-audits.ts')})
const { createChainCheck } = await import(${source('./check-chain.ts')})
const [, dir, whenFull, after] = process.argv
const path = dir + '/audit.jsonl'
const said = []
const say = (fields, msg) => said.push(msg)
const log = { debug: say, info: say, warn: say, error: say }
const until = async (is) => { while (!is()) await wait(5) }
writeFileSync(dir + '/filler', 'x'.repeat(900_000))
const audit = createAudit(
  { sinks: [{ kind: 'file', path }], chain: true, whenFull, arguments: false, redact: [], key: new Uint8Array(32), isKeyLasting: true },
  { now: Date.now, log, stdout: process.stderr },
)
let written = 0
const write = () => audit.write({
  record: { requestId: 'r' + written++, method: 'tools/call', outcome: 'ok', httpStatus: 200, durationMs: 1, bytesIn: 1, bytesOut: 1 },
  sourceAddress: '192.0.2.1',
  actors: [],
})
while (said.length === 0) { for (let i = 0; i < 50; i++) write(); await wait(1) }
const isOpenWhenFull = audit.isOpen
const partial = readFileSync(path).at(-1) !== 10
for (let i = 0; i < (whenFull === 'drop' ? 20_000 : 20); i++) write()
const files = [path]
if (after === 'moved') { renameSync(path, path + '.1'); files.unshift(path + '.1'); await wait(1100) }
rmSync(dir + '/filler')
if (whenFull === 'drop') {
  // Too much has come together for what is free.
  await wait(1500)
  process.stdout.write(JSON.stringify({ isOpenWhenFull, partial, said, dropped: audit.dropped, alive: true }))
  process.exit(0)
}
await until(() => audit.isOpen)
write()
await audit.close(5000)
const check = createChainCheck({ keys: [new Uint8Array(32)], after: undefined })
const faults = []
for (const file of files) for (const line of readFileSync(file, 'utf8').split('\\n').slice(0, -1)) {
  const fault = check.line(Buffer.from(line), true)
  if (fault) faults.push(fault.kind + ' ' + line)
}
const { records } = check.end()
process.stdout.write(JSON.stringify({ isOpenWhenFull, partial, said, dropped: audit.dropped, lost: written - records, faults }))
`

/** Runs the child with a tmpfs of 1 MiB that only it sees; undefined where the system allows no such thing. */
function onSmallDisk(dir: string, args: readonly string[]) {
  const script = 'mount -t tmpfs -o size=1m none "$1" || exit 99; shift; exec "$@"'
  const unshare = process.getuid?.() === 0 ? ['-m'] : ['-Urm']
  const run = spawnSync(
    'unshare',
    [...unshare, 'sh', '-c', script, 'sh', dir, process.execPath, '--input-type=module', '-e', child, dir, ...args],
    {
      encoding: 'utf8',
      timeout: 30_000,
    },
  )
  if ((run.error !== undefined && 'code' in run.error && run.error.code === 'ENOENT') || run.status === 99 || /unshare: /.test(run.stderr))
    return undefined
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout) as Record<string, unknown>
}

for (const [whenFull, after] of [
  ['refuse', 'same'],
  ['refuse', 'moved'],
  ['drop', 'same'],
] as const) {
  test(`a full disk: ${whenFull}, and the file is ${after === 'moved' ? 'moved away' : 'the same'} when there is room`, (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'mcplex-disk-'))
    t.after(() => rmSync(dir, { recursive: true }))
    const found = onSmallDisk(dir, [whenFull, after])
    if (found === undefined) return t.skip('NOT TESTED: no tmpfs can be mounted here')
    const { isOpenWhenFull, partial, said, dropped, ...rest } = found
    assert.equal(partial, true)
    if (whenFull === 'drop') {
      assert.deepEqual([isOpenWhenFull, rest['alive']], [true, true])
      assert.ok(Number(dropped) > 10_000, String(dropped))
      assert.match(String((said as string[])[0]), /^audit records are not taken: the oldest are lost/)
    } else {
      assert.deepEqual([isOpenWhenFull, dropped, rest], [false, 0, { lost: 0, faults: [] }])
      assert.deepEqual(said, ['audit records are not taken: requests are refused until they are', 'audit records are taken again'])
    }
  })
}
