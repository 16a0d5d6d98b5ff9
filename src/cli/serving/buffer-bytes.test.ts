import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../config/config.ts'
import { bufferBytes } from './buffer-bytes.ts'

const mib = 1024 * 1024
const configWith = (limits: object) => parseConfig(JSON.stringify({ servers: {}, limits }), { env: {}, readFile: () => '' }).config

test('what is held of servers is bounded as written, else by the memory that there is', () => {
  const table: readonly (readonly [object, { readonly process: number; readonly heap: number }, number])[] = [
    [{ buffered: '100MiB' }, { process: 16_384, heap: 4096 }, 100],
    [{}, { process: 16_384, heap: 4096 }, 2048],
    [{}, { process: 16_384, heap: 300 }, 150],
    [{}, { process: 512, heap: 300 }, 128],
    [{}, { process: 128, heap: 100 }, 64],
    [{ answer: '1MiB' }, { process: 128, heap: 100 }, 32],
    [{ answer: '1MiB' }, { process: 8, heap: 8 }, 4],
  ]
  for (const [limits, memory, expected] of table) {
    const config = configWith(limits) ?? assert.fail()
    assert.equal(bufferBytes(config, { process: memory.process * mib, heap: memory.heap * mib }), expected * mib)
  }
})

test('of this process it is more than nothing and no more than its memory', () => {
  const bytes = bufferBytes(configWith({}) ?? assert.fail())
  assert.ok(bytes >= 64 * mib && Number.isSafeInteger(bytes), `${bytes}`)
})
