import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Log } from '../log/log.ts'
import { type ChainHead, chainStart, createChainWriter, linkBytes, recordDigest } from './chain.ts'
import { createChainCheck } from './check-chain.ts'
import { createFilePort } from './file-port.ts'
import type { Port } from './port.ts'

const writer = createChainWriter(recordDigest(undefined))

/** Records behind a head, as lines. */
function linked(head: ChainHead, count: number): { readonly lines: Buffer; readonly head: ChainHead } {
  const lines = Buffer.alloc(count * (200 + linkBytes))
  let at = 0
  for (let i = 0; i < count; i++) {
    const made = writer.append(lines, at, Buffer.from(`{"type":"audit","n":${head.seq},"x":"é"`), 0, head)
    at = made.end
    head = made.head
  }
  return { lines: lines.subarray(0, at), head }
}

function folder(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'mcplex-audit-'))
  t.after(() => rmSync(dir, { recursive: true }))
  let time = 0
  const said: string[] = []
  const say = (_fields: unknown, msg: string) => said.push(msg)
  const log: Log = { debug: say, info: say, warn: say, error: say, request() {}, flush() {}, dropped: 0 }
  const portTo = (name: string): Port => {
    const port = createFilePort(join(dir, name), { now: () => time, log })
    t.after(() => port.close())
    return port
  }
  return { dir, said, portTo, pass: (ms: number) => (time += ms) }
}

/** Sends records as an outlet does, and returns the head. */
async function send(port: Port, head: ChainHead, count: number): Promise<ChainHead> {
  const prepared = await port.prepare()
  assert.equal(prepared.kind, 'ready')
  const made = linked(port.takeHead() ?? head, count)
  assert.deepEqual(await port.send(made.lines), { lines: count, failure: undefined })
  return made.head
}

function faultsIn(...files: readonly string[]): readonly string[] {
  const check = createChainCheck({ keys: [], after: undefined })
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').split(/(?<=\n)/))
  return lines.flatMap((line, at) => {
    const fault = check.line(Buffer.from(line.replace(/\n$/, '')), line.endsWith('\n'))
    return fault === undefined ? [] : [`${at + 1} ${fault.kind}`]
  })
}

test('a file is made for its owner alone, and its chain goes on where it is opened again', async (t) => {
  const { dir, said, portTo } = folder(t)
  const path = join(dir, 'a.jsonl')
  const first = portTo('a.jsonl')
  await send(first, chainStart, 3)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await first.close()
  chmodSync(path, 0o640)
  const head = await send(portTo('a.jsonl'), chainStart, 2)
  assert.equal(head.seq, 5)
  assert.equal(statSync(path).mode & 0o777, 0o640)
  assert.deepEqual([faultsIn(path), said], [[], []])
})

test('a torn last line is ended and told, and the chain goes on behind the last whole one', async (t) => {
  const { dir, said, portTo } = folder(t)
  const path = join(dir, 'a.jsonl')
  for (const cut of [1, 2, 40, 300]) {
    said.length = 0
    const { lines, head } = linked(chainStart, 3)
    writeFileSync(path, lines.subarray(0, lines.length - cut))
    const port = portTo('a.jsonl')
    const now = await send(port, chainStart, 2)
    await port.close()
    if (cut === 1) {
      // The line end alone is missing: nothing is lost.
      assert.deepEqual([now.seq, faultsIn(path), said], [head.seq + 2, [], []])
    } else {
      const torn = cut === 300 ? '2 torn' : '3 torn'
      assert.deepEqual(said, ['the last audit record is cut off; the chain goes on behind it'], String(cut))
      assert.deepEqual([now.seq, faultsIn(path)], [cut === 300 ? 3 : 4, [torn]], String(cut))
    }
  }
})

test('lines of others at the end are gone behind, and a file without a chain begins one', async (t) => {
  const { dir, portTo } = folder(t)
  const { lines } = linked(chainStart, 2)
  writeFileSync(join(dir, 'a.jsonl'), Buffer.concat([lines, Buffer.from('{"level":"info"}\n\n')]))
  assert.equal((await send(portTo('a.jsonl'), chainStart, 1)).seq, 3)
  assert.deepEqual(faultsIn(join(dir, 'a.jsonl')), ['3 inserted', '4 torn'])
  writeFileSync(join(dir, 'b.jsonl'), 'x'.repeat(3 * 1024 * 1024))
  assert.equal((await send(portTo('b.jsonl'), chainStart, 1)).seq, 1)
  assert.deepEqual(faultsIn(join(dir, 'b.jsonl')), ['1 torn'])
})

test('what is no file, or stands in a folder that is not there, fails until it can be had', async (t) => {
  const { dir, portTo } = folder(t)
  const port = portTo('logs/a.jsonl')
  const missing = await port.prepare()
  assert.match(missing.kind === 'failed' ? missing.text : '', /^its folder is not there \(ENOENT\)$/)
  mkdirSync(join(dir, 'logs'))
  await send(port, chainStart, 1)
  assert.deepEqual(faultsIn(join(dir, 'logs/a.jsonl')), [])
  for (const path of ['logs', '/dev/null']) {
    const found = await (path === 'logs' ? portTo(path) : createFilePort(path, { now: () => 0, log: {} as Log })).prepare()
    assert.match(found.kind === 'failed' ? found.text : '', /EISDIR|no regular file/)
  }
})

test('a file that was moved away is followed by a new one within a second, and both are one chain', async (t) => {
  const { dir, said, portTo, pass } = folder(t)
  const path = join(dir, 'a.jsonl')
  const port = portTo('a.jsonl')
  let head = await send(port, chainStart, 3)
  renameSync(path, `${path}.1`)
  pass(999)
  head = await send(port, head, 1)
  assert.equal(existsSync(path), false)
  pass(1)
  head = await send(port, head, 2)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  renameSync(path, `${path}.2`)
  writeFileSync(path, '')
  pass(1000)
  head = await send(port, head, 2)
  assert.deepEqual([head.seq, said], [8, []])
  assert.deepEqual(faultsIn(`${path}.1`, `${path}.2`, path), [])
  assert.deepEqual(faultsIn(`${path}.2`), ['1 removed'])
})

test('a file that was copied and cut goes on with the same chain', async (t) => {
  const { dir, said, portTo, pass } = folder(t)
  const path = join(dir, 'a.jsonl')
  const port = portTo('a.jsonl')
  let head = await send(port, chainStart, 3)
  writeFileSync(`${path}.1`, readFileSync(path))
  truncateSync(path)
  pass(1000)
  head = await send(port, head, 2)
  assert.deepEqual([head.seq, faultsIn(`${path}.1`, path)], [5, []])
  assert.deepEqual(said, ['the file of audit records was cut by somebody else; its chain goes on'])
})

test('another who writes to the file is told of, and the chain goes on behind what they wrote', async (t) => {
  const { dir, said, portTo, pass } = folder(t)
  const path = join(dir, 'a.jsonl')
  const port = portTo('a.jsonl')
  const other = portTo('a.jsonl')
  let head = await send(port, chainStart, 2)
  await send(other, chainStart, 2)
  pass(1000)
  head = await send(port, head, 2)
  assert.deepEqual([head.seq, faultsIn(path)], [6, []])
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /somebody else has written/)
  appendFileSync(path, '{"half')
  pass(1000)
  head = await send(port, head, 1)
  assert.deepEqual([head.seq, faultsIn(path)], [7, ['7 torn']])
  // A new file of another process.
  renameSync(path, `${path}.1`)
  pass(1000)
  writeFileSync(path, linked(head, 1).lines)
  head = await send(port, head, 1)
  assert.deepEqual([head.seq, faultsIn(`${path}.1`, path)], [9, ['7 torn']])
})

test('what is under way at the end of the process is waited for, and nothing is written twice', async (t) => {
  const { dir, portTo } = folder(t)
  const path = join(dir, 'a.jsonl')
  const port = portTo('a.jsonl')
  assert.equal(port.sendNow(linked(chainStart, 1).lines).lines, 0)
  const head = await send(port, chainStart, 1)
  const first = linked(head, 400)
  const sent = port.send(first.lines)
  assert.equal(port.sendNow(first.lines).lines, 0)
  assert.equal(port.settle(), true)
  assert.deepEqual(port.sendNow(linked(first.head, 2).lines), { lines: 2, failure: undefined })
  assert.deepEqual(await sent, { lines: 400, failure: undefined })
  await send(port, linked(first.head, 2).head, 1)
  assert.deepEqual(faultsIn(path), [])
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 405)
})
