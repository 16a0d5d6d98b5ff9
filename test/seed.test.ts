import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

const published = {
  'backend.yaml': '701ffa253b3d0947fab36a9523e3f1d750031c342b6e9d5e238af66070edfbfb',
  'date-server.yaml': '3140bff5f0a7a88bdc05d9ad2271886025fde82e8d710d2292f850a5f7b61517',
  'gateway.yaml': '0254e172b563ee4f09bc8d9b18cd0c9f96433d1fdac5f93f6bb43ef4341d3590',
  'httproute.yaml': '6bc65db782453e56a141c6f841772b48453d6afeb8fdf7f6e516b506175a3009',
  'math-server.yaml': 'ec9ef784af3dd94d23c9cfc4e88f2b3f48588e32b72c46aa6035405db7e377ea',
  'date/server.py': '4ca3952bb43950437b116b64ac8cfb9af2e9d898d86f5c85d01bdbf2eadc246f',
  'math/server.py': '1cbc68d01f034d8160faa977f9febfeb4c02af346e4a7797ee5f0e35d36e0d45',
}

test("the post's files are what was published, byte for byte", async () => {
  const found = await Promise.all(
    Object.keys(published).map(async (name) => {
      const bytes = await readFile(join(import.meta.dirname, 'seed', name))
      return [name, createHash('sha256').update(bytes).digest('hex')]
    }),
  )
  assert.deepEqual(Object.fromEntries(found), published)
})
