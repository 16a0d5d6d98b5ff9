import { join } from 'node:path'
import { run } from './child.ts'
import { type Part, ready } from './part.ts'
import { play1 } from './play1.ts'
import { play2 } from './play2.ts'
import { python1, python2 } from './python.ts'
import type { Player, Transcript } from './script.ts'

/** A client by its SDK and the era that it speaks. */
export interface Driver {
  readonly name: string
  readonly sdk: string
  readonly era: 'legacy' | 'modern'
  player(): Promise<Part<Player>>
}

/** The SDKs of both languages in all eras that they speak. */
export const drivers: readonly Driver[] = [
  { name: 'TypeScript SDK 1', sdk: 'TypeScript 1', era: 'legacy', player: async () => ready(play1) },
  { name: 'TypeScript SDK 2, legacy', sdk: 'TypeScript 2', era: 'legacy', player: async () => ready(play2('legacy')) },
  { name: 'TypeScript SDK 2, modern', sdk: 'TypeScript 2', era: 'modern', player: async () => ready(play2('modern')) },
  { name: 'Python mcp 1.30', sdk: 'Python 1', era: 'legacy', player: () => python(python1(), 'script-mcp1.py', 'legacy') },
  { name: 'Python mcp 2.3, legacy', sdk: 'Python 2', era: 'legacy', player: () => python(python2(), 'script-mcp2.py', 'legacy') },
  { name: 'Python mcp 2.3, modern', sdk: 'Python 2', era: 'modern', player: () => python(python2(), 'script-mcp2.py', '2026-07-28') },
]

async function python(interpreter: Promise<Part<string>>, script: string, mode: string): Promise<Part<Player>> {
  const part = await interpreter
  if (part.kind === 'missing') return part
  return ready(async (url, operations, replies) => {
    const path = join(import.meta.dirname, '../fixtures', script)
    const done = await run(part.value, [path, url, mode, JSON.stringify(operations), JSON.stringify(replies)])
    if (done.code !== 0) throw new Error(`${script} ${mode}: ${done.code ?? done.signal}\n${done.stderr}`)
    return JSON.parse(done.stdout) as Transcript
  })
}
