import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSecretCopy } from '../config.ts'

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(root, { recursive: true }))
  return root
}

const data = { 'config.json': 'e30=', 'sessions.keys': 'W10=', 'admin.token': 'eA==' }

test('what was written is read, and is for its owner alone', async (t) => {
  const at = join(folder(t), 'made')
  const lastGood = createSecretCopy(at)
  assert.deepEqual(await lastGood.read(), { kind: 'none' })
  assert.equal(await lastGood.write({ 'config.json': 'old' }), undefined)
  // As a process that was killed may leave it.
  writeFileSync(join(at, 'last-good.json.next'), 'half', { mode: 0o644 })
  assert.equal(await lastGood.write(data), undefined)
  assert.deepEqual(await createSecretCopy(at).read(), { kind: 'copy', data })
  assert.deepEqual(readdirSync(at), ['last-good.json'])
  assert.equal(statSync(join(at, 'last-good.json')).mode & 0o777, 0o600)
})

test('what is no copy is a fault that quotes nothing of it', async (t) => {
  const at = folder(t)
  const lastGood = createSecretCopy(at)
  for (const text of ['', 'hunter2', '{"config.json":"hunter2', '[]', 'null', '"hunter2"']) {
    writeFileSync(join(at, 'last-good.json'), text)
    const read = await lastGood.read()
    assert.ok(read.kind === 'fault' && !read.text.includes('hunter2'), JSON.stringify(read))
  }
  writeFileSync(join(at, 'last-good.json'), '{"config.json":7,"other":"x","admin.token":"eA=="}')
  assert.deepEqual(await lastGood.read(), { kind: 'copy', data: { 'admin.token': 'eA==' } })
})

test('a folder that can’t be written is a fault, and what is there stays', async (t) => {
  const at = folder(t)
  writeFileSync(join(at, 'file'), 'x')
  const lastGood = createSecretCopy(join(at, 'file'))
  const fault = await lastGood.write(data)
  assert.match(fault?.text ?? '', /last-good\.json can't be written: E/)
  assert.equal((await lastGood.read()).kind, 'fault')
  assert.equal(readFileSync(join(at, 'file'), 'utf8'), 'x')
})

test('what is no regular file is a fault, and is not waited for', { timeout: 10_000 }, async (t) => {
  const at = folder(t)
  const file = join(at, 'last-good.json')
  const lastGood = createSecretCopy(at)
  execFileSync('mkfifo', [file])
  assert.deepEqual(await lastGood.read(), { kind: 'fault', text: `${file} can't be read: it is no file` })
  rmSync(file)
  writeFileSync(join(at, 'other'), JSON.stringify(data))
  symlinkSync('other', file)
  assert.equal((await lastGood.read()).kind, 'fault')
  assert.equal(await lastGood.write(data), undefined)
  assert.deepEqual(await lastGood.read(), { kind: 'copy', data })
})
