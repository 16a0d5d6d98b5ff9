import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway } from './gateway.ts'
import { type InspectorVersion, inspector } from './setup/inspector.ts'
import { need } from './setup/part.ts'
import { python1 } from './setup/python.ts'
import { seedServer } from './setup/upstreams.ts'

const inspectors: readonly { version: InspectorVersion; era: string | undefined }[] = [
  { version: '0.16.2', era: undefined },
  { version: '2.12.0', era: 'legacy' },
  { version: '2.12.0', era: 'auto' },
  { version: '2.12.0', era: 'modern' },
]

/** The date as Python's date.today() gives it on this machine. */
function today(): string {
  const now = new Date()
  const two = (part: number) => String(part).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

test("the post's two servers behind one endpoint, for MCP Inspector", async (t) => {
  const python = await need(t, python1())
  if (python === undefined) return
  const math = await seedServer(t, 'math', python)
  const date = await seedServer(t, 'date', python)
  const gateway = await startGateway(t, `servers:\n  math: ${math.url}\n  date: ${date.url}\n`)

  for (const { version, era } of inspectors) {
    await t.test(`Inspector ${version}${era === undefined ? '' : `, ${era}`}`, async (t) => {
      const installed = await need(t, inspector(version))
      if (installed === undefined) return
      const eraArgs = era === undefined ? [] : ['--protocol-era', era]
      const ask = async (url: string, ...args: readonly string[]) => {
        const done = await installed.cli(url, ...eraArgs, ...args)
        assert.equal(done.code, 0, `${args.join(' ')}\n${done.stdout}\n${done.stderr}\n${gateway.log().slice(-2000)}`)
        return JSON.parse(done.stdout) as { tools?: { name: string }[]; content?: unknown; isError?: boolean }
      }
      const call = (name: string, ...args: readonly string[]) =>
        ask(gateway.url, '--method', 'tools/call', '--tool-name', name, ...args.flatMap((arg) => ['--tool-arg', arg]))

      const { tools = [] } = await ask(gateway.url, '--method', 'tools/list')
      assert.deepEqual(
        tools.map((tool) => tool.name),
        ['math_add', 'math_multiply', 'date_get_current_date'],
      )
      isAnswer(await call('math_add', 'a=2', 'b=3'), ['5'])
      isAnswer(await call('math_multiply', 'a=4', 'b=5'), ['20'])
      const before = today()
      isAnswer(await call('date_get_current_date'), [before, today()])
    })
  }

  for (const { version, era } of inspectors.filter((row) => row.era !== 'modern')) {
    await t.test(`Inspector ${version}${era === undefined ? '' : `, ${era}`} refuses their results without a gateway`, async (t) => {
      const installed = await need(t, inspector(version))
      if (installed === undefined) return
      const eraArgs = era === undefined ? [] : ['--protocol-era', era]
      for (const [url, name, ...args] of [
        [math.url, 'add', '--tool-arg', 'a=2', '--tool-arg', 'b=3'],
        [date.url, 'get_current_date'],
      ] as const) {
        assert.equal((await installed.cli(url, ...eraArgs, '--method', 'tools/list')).code, 0)
        const called = await installed.cli(url, ...eraArgs, '--method', 'tools/call', '--tool-name', name, ...args)
        assert.notEqual(called.code, 0, called.stdout)
        assert.match(called.stderr, /invalid_union|Invalid result/)
      }
    })
  }
})

/** A valid result whose text is one of those, in a text block; more blocks may follow, each with a type. */
function isAnswer(result: { readonly content?: unknown; readonly isError?: boolean }, texts: readonly string[]): void {
  assert.ok(Array.isArray(result.content) && result.isError !== true, JSON.stringify(result))
  const blocks = result.content as { type?: unknown; text?: unknown }[]
  assert.ok(
    blocks.every((block) => block.type === 'text' && typeof block.text === 'string'),
    JSON.stringify(result),
  )
  const said = blocks.map((block) => block.text).join('\n')
  assert.ok(
    texts.some((text) => new RegExp(`(^|\\W)${text}(\\W|$)`).test(said)),
    `${said} holds none of ${texts.join(', ')}`,
  )
}
