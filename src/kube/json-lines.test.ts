import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JsonLine, readJsonLines } from './json-lines.ts'

async function* body(chunks: readonly (string | Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield Buffer.from(chunk)
  }
}

async function read(chunks: readonly (string | Uint8Array | Error)[]): Promise<JsonLine[]> {
  const lines: JsonLine[] = []
  for await (const line of readJsonLines(body(chunks), 16, (error) => `broke: ${(error as Error).message}`)) lines.push(line)
  return lines
}

test('lines come out of chunks however they are cut, and then one end', async () => {
  const snow = Buffer.from('"☃"\n')
  const rows: readonly [string, readonly (string | Uint8Array | Error)[], readonly unknown[], string | undefined][] = [
    ['nothing', [], [], undefined],
    ['one line', ['{"a":1}\n'], [{ a: 1 }], undefined],
    ['two in a chunk', ['1\n2\n'], [1, 2], undefined],
    ['one in three chunks', ['{"a"', ':', '1}\n'], [{ a: 1 }], undefined],
    ['a newline alone', ['1', '\n', '2', '\n'], [1, 2], undefined],
    ['blank lines', ['\n1\r\n \n2\n'], [1, 2], undefined],
    ['a character in two chunks', [snow.subarray(0, 2), snow.subarray(2)], ['☃'], undefined],
    ['each byte by itself', [...snow].map((byte) => Uint8Array.of(byte)), ['☃'], undefined],
    ['half a line at the end', ['1\n{"a":'], [1], undefined],
    ['no JSON', ['1\n<html>\n2\n'], [1], 'sent a line that is not JSON'],
    ['the longest line', [`"${'x'.repeat(14)}"\n`], ['x'.repeat(14)], undefined],
    ['a line too long', ['1\n', `"${'x'.repeat(15)}"\n`], [1], 'sent a line of more than 16 bytes'],
    ['a line too long, in parts', ['1\n"xxxxxxxx', 'xxxxxxxxx"\n'], [1], 'sent a line of more than 16 bytes'],
    ['a line too long that never ends', ['1\n', ...Array(3).fill('xxxxxxxx')], [1], 'sent a line of more than 16 bytes'],
    ['a broken connection', ['1\n', new Error('reset')], [1], 'broke: reset'],
  ]
  for (const [what, chunks, values, end] of rows) {
    const expected = [...values.map((value) => ({ kind: 'line', value })), { kind: 'end', text: end }]
    assert.deepEqual(await read(chunks), expected, what)
  }
})

test('who leaves early leaves the body', async () => {
  let isLeft = false
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('1\n')
    } finally {
      isLeft = true
    }
  }
  for await (const _ of readJsonLines(endless(), 16, String)) break
  assert.ok(isLeft)
})
