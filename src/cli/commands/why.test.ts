import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openServers } from '../../gateway/transcripts/scripted-server.ts'
import { runCli } from '../cli.ts'

const sre = { groups: ['sre'] }

/** Runs a command in a folder with a file for a server that is there. */
async function open(t: TestContext) {
  const servers = await openServers([{ name: 'a', kind: 'modern', offers: new Map([['tools', ['x', 'y']]]) }])
  for (const server of servers.byName.values()) server.isPlaying = false
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => {
    servers.close()
    rmSync(folder, { recursive: true })
  })
  const agents = {
    sre: { tools: ['a_*'], access: '"sre" in jwt.groups', policies: { authorize: { deny: ['mcp.tool.name == "y"'] } } },
  }
  const jwt = [{ issuer: 'https://id.example', audiences: ['a'], jwks: { inline: '{"keys":[]}' } }]
  const policies = { authenticate: { mode: 'optional', jwt } }
  writeFileSync(join(folder, 'mcplex.yaml'), JSON.stringify({ policies, servers: { a: `${servers.url}/a` }, agents }, undefined, 1))
  writeFileSync(join(folder, 'claims.json'), JSON.stringify(sre))
  return async (...args: readonly string[]) => {
    const out = { stdout: '', stderr: '' }
    const output = (name: keyof typeof out) => ({
      write: (text: string) => {
        out[name] += text
      },
      on() {},
    })
    const terminal = { stdout: output('stdout'), stderr: output('stderr'), env: {}, cwd: () => folder, on() {}, exit() {} }
    const placed = args.map((arg) => (arg === 'claims.json' ? join(folder, arg) : arg))
    const code = await runCli(placed, terminal)
    return { code, stdout: out.stdout.replaceAll(`${folder}/`, ''), stderr: out.stderr }
  }
}

test('why says every layer with its place, and ends with 1 where a call is not allowed', async (t) => {
  const run = await open(t)
  const allowed = await run('why', '--agent', 'sre', '--claims', 'claims.json', 'a_x')
  assert.deepEqual([allowed.code, allowed.stderr], [0, ''])
  assert.match(allowed.stdout, /^a_x for agent sre: allowed\n/)
  const hidden = await run('why', '--agent', 'sre', '--claims', 'claims.json', 'a_y')
  assert.equal(hidden.code, 1)
  assert.match(
    hidden.stdout,
    /^a_y for agent sre: hidden\n {2}1\. yes route .*\n(.*\n)* {2}6\. NO {2}authorize {4}mcp\.tool\.name == "y" denies it {2}\[mcplex\.yaml:\d+:\d+ agents\.sre\.policies\.authorize\.deny\[0\]\]\n/,
  )
  const json = await run('--output', 'json', 'why', '--agent', 'sre', 'a_x')
  const { outcome, steps } = JSON.parse(json.stdout)
  assert.deepEqual([json.code, outcome, steps.at(-1).layer, typeof steps.at(-1).line], [1, 'refused', 'access', 'number'])
  for (const args of [
    ['why', 'a_x'],
    ['why', '--agent', 'sre', '--claims', 'nothing.json', 'a_x'],
    ['why', '--agent', 'sre', '--arguments', '[1]', 'a_x'],
  ])
    assert.equal((await run(...args)).code, 2, args.join(' '))
})
