import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { problemsOfExample, schemaErrorsOfExample } from './document-problems.ts'

const root = join(import.meta.dirname, '..')

test('every example is a configuration without a problem, and says which schema it has', async () => {
  const names: string[] = []
  for await (const name of glob(['examples/*.yaml', 'examples/*/config/mcplex.yaml'], { cwd: root })) {
    const file = join(root, name)
    const text = readFileSync(file, 'utf8')
    const schema = join(relative(dirname(file), root), 'mcplex.schema.json')
    assert.ok(text.startsWith(`# yaml-language-server: $schema=${schema}\n`), name)
    assert.ok(existsSync(join(dirname(file), schema)), name)
    assert.deepEqual(problemsOfExample(text, file), [], name)
    assert.deepEqual(schemaErrorsOfExample(text), [], name)
    names.push(name)
  }
  assert.ok(names.includes('examples/post.yaml') && names.includes('examples/compose/config/mcplex.yaml'))
})
