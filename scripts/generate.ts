import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configurationPage, jsonSchema, problemsPage } from '../src/config/config.ts'

/** Writes the files that are made from sources; with `--check` it writes nothing, names those that are stale and exits with 1. */

const generated = {
  'mcplex.schema.json': () => `${JSON.stringify(jsonSchema(), undefined, 2)}\n`,
  'docs/configuration.md': configurationPage,
  'docs/problems.md': problemsPage,
} as const satisfies Record<string, () => string>

const root = join(import.meta.dirname, '..')
const isChecking = process.argv.includes('--check')
const stale = Object.entries(generated).filter(([name, make]) => contentOf(join(root, name)) !== make())
for (const [name, make] of stale) {
  if (isChecking) {
    process.stderr.write(`${name} is stale: run node scripts/generate.ts\n`)
    process.exitCode = 1
  } else {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), make())
    process.stdout.write(`${name} written\n`)
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
