import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openServers } from '../../gateway/transcripts/scripted-server.ts'
import { runCli } from '../cli.ts'

/** `mcplex test` of a file with these tests over a server `a` with the tools x and y, a server `b` outside of `from`, and one that is down. */
async function runTests(t: TestContext, tests: readonly string[], ...args: readonly string[]) {
  const servers = await openServers([
    { name: 'a', kind: 'modern', offers: new Map([['tools', ['x', 'y', 'z']]]) },
    { name: 'b', kind: 'modern', offers: new Map([['tools', ['x']]]) },
  ])
  for (const server of servers.byName.values()) server.isPlaying = false
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => {
    servers.close()
    rmSync(folder, { recursive: true })
  })
  const text = `
backends:
  main: { servers: { a: { http: { url: "${servers.url}/a" } }, gone: { http: { url: "http://127.0.0.1:9/" } } } }
  other: { servers: { b: { http: { url: "${servers.url}/b" } } } }
policies: { authenticate: { mode: optional, jwt: [{ issuer: https://id.example, audiences: [a], jwks: { inline: '{"keys":[]}' } }] } }
agents:
  sre:
    from: [main]
    tools: ["a_*", "gone_*", "!a_z"]
    access: '"sre" in jwt.groups'
    policies:
      authorize:
        deny: ['mcp.tool.name == "y"']
tests:
${tests.map((one) => `- { agent: sre, ${one} }\n`).join('')}`
  writeFileSync(join(folder, 'mcplex.yaml'), text)
  const out = { stdout: '', stderr: '' }
  const output = (name: keyof typeof out) => ({
    write: (text: string) => {
      out[name] += text
    },
    on() {},
  })
  const terminal = { stdout: output('stdout'), stderr: output('stderr'), env: {}, cwd: () => folder, on() {}, exit() {} }
  const code = await runCli(['test', ...args], terminal)
  return { code, stdout: out.stdout.replaceAll(`${folder}/`, '') }
}

const claims = 'claims: { groups: [sre] }'

test('where all comes out as expected it ends with 0, and what is hidden or refused is told with the layer and its place', async (t) => {
  const { code, stdout } = await runTests(t, [
    `${claims}, tool: a_x, expect: allowed`,
    `${claims}, tool: a_y, expect: hidden`,
    `${claims}, tool: a_z, expect: hidden`,
    `${claims}, tool: b_x, expect: hidden`,
    'tool: a_x, expect: refused',
    `${claims}, tool: a_none, expect: unknown`,
  ])
  assert.deepEqual(stdout.split('\n'), [
    'ok   mcplex.yaml:15:3 sre a_x: allowed',
    'ok   mcplex.yaml:16:3 sre a_y: hidden by a rule at mcplex.yaml:13:16: mcp.tool.name == "y" denies it',
    'ok   mcplex.yaml:17:3 sre a_z: hidden by the selection of agent sre at mcplex.yaml:9:30: "!a_z" takes it away',
    'ok   mcplex.yaml:18:3 sre b_x: hidden by `from` of agent sre at mcplex.yaml:8:11: a server of backend "other" has it, which is not in `from`',
    'ok   mcplex.yaml:19:3 sre a_x: refused by access of agent sre at mcplex.yaml:10:13: "sre" in jwt.groups can not be computed for this caller',
    'ok   mcplex.yaml:20:3 sre a_none: unknown: no server of it has a tool "a_none"',
    '6 passed, 0 failed',
    '',
  ])
  assert.equal(code, 0)
})

test('of a test that failed every layer is told, and it ends with 1', async (t) => {
  const { code, stdout } = await runTests(t, [`${claims}, tool: a_x, expect: allowed`, `${claims}, tool: a_y, expect: allowed`])
  assert.match(
    stdout,
    /^ok .*\nFAIL mcplex\.yaml:16:3 sre a_y: hidden, expected allowed\na_y for agent sre: hidden\n {2}1\. yes route(.*\n)*.*denies it(.*\n)*1 passed, 1 failed\n$/,
  )
  assert.equal(code, 1)
})

test('a tool that no server has is not hidden: the test fails and says which was probably meant', async (t) => {
  const { code, stdout } = await runTests(t, [`${claims}, tool: a_yy, expect: hidden`])
  assert.match(
    stdout,
    /^FAIL mcplex\.yaml:15:3 sre a_yy: unknown, expected hidden: no server of it has a tool "a_yy"; did you mean "a_y"\?\n/,
  )
  assert.equal(code, 1)
})

test('what a server that is down may have is not judged, whatever is expected, and it ends with 69', async (t) => {
  const expected = ['allowed', 'hidden', 'unknown'] as const
  const good = `${claims}, tool: a_x, expect: allowed`
  const tests = [good, ...expected.map((expect) => `${claims}, tool: gone_delete, expect: ${expect}`)]
  const { code, stdout } = await runTests(t, tests)
  const lines = stdout.split('\n')
  for (const [index] of expected.entries())
    assert.match(
      lines[index + 1] ?? '',
      new RegExp(`^\\?\\?\\?  mcplex\\.yaml:${16 + index}:3 sre gone_delete: not judged: .* is not known: gone is down: `),
    )
  assert.deepEqual([code, lines.at(-2)], [69, '1 passed, 0 failed, 3 not judged'])
  // What failed is certain, and counts for more.
  assert.equal((await runTests(t, [...tests, `${claims}, tool: a_y, expect: allowed`])).code, 1)
})

test('--output json has the verdict on each', async (t) => {
  const tests = [
    `${claims}, tool: a_x, expect: allowed`,
    `${claims}, tool: a_yy, expect: hidden`,
    `${claims}, tool: gone_x, expect: hidden`,
  ]
  const { stdout } = await runTests(t, tests, '--output', 'json')
  const report = JSON.parse(stdout)
  assert.deepEqual([report.passed, report.failed, report.notJudged], [1, 1, 1])
  assert.deepEqual(
    report.tests.map((one: { verdict: string; explanation: { outcome: string; nearest?: string } }) => [
      one.verdict,
      one.explanation.outcome,
      one.explanation.nearest,
    ]),
    [
      ['passed', 'allowed', undefined],
      ['failed', 'unknown', 'a_y'],
      ['not-judged', 'not-judged', undefined],
    ],
  )
})
