import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseConfig } from '../src/config/config.ts'

const folder = fileURLToPath(new URL('../examples', import.meta.url))
/** The variables that the examples speak of. */
const env = {
  GITHUB_TOKEN: 'x',
  TRACKER_TOKEN: 'x',
  NIGHTLY_KEY_SHA256: '0a'.repeat(32),
  MCPLEX_KEY_A: Buffer.alloc(32).toString('base64'),
}

test('every example is a configuration without a problem, and says which schema it has', async () => {
  let count = 0
  for await (const name of glob('*.yaml', { cwd: folder })) {
    const file = `${folder}/${name}`
    const text = readFileSync(file, 'utf8')
    assert.ok(text.startsWith('# yaml-language-server: $schema=../mcplex.schema.json\n'), name)
    const { config, problems } = parseConfig(text, { file, env, readFile: (path) => readFileSync(path, 'utf8') })
    assert.deepEqual(problems, [], name)
    assert.ok(config !== undefined, name)
    count++
  }
  assert.ok(count > 0)
})
