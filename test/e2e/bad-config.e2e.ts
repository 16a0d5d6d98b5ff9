import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runtimeExamples } from '../../src/config/rendering/problem-examples.ts'
import { runMcplex, startGateway, startMcplex, temporaryDirectory, untilReady } from './gateway.ts'
import { atEnd } from './setup/at-end.ts'
import { fixtureServer } from './setup/fixture-server.ts'
import { canConnect, freePort } from './setup/ports.ts'
import { until } from './setup/wait.ts'

const documents: readonly { readonly name: string; readonly text: string; readonly says: readonly RegExp[] }[] = [
  { name: 'broken YAML', text: 'listen: 8080\nservers: { math: [\n', says: [/yaml-syntax/] },
  {
    name: 'a repeated key',
    text: 'servers:\n  math: http://127.0.0.1:1/mcp\n  math: http://127.0.0.1:2/mcp\n',
    says: [/duplicate-key/, /:3:3\b/],
  },
  {
    name: 'an unknown key',
    text: 'lissten: 8080\nservers: {}\n',
    says: [/unknown-key/, /:1:1\b/, /lissten: 8080\n\s*[|\d ]*\^/, /\blisten\b/],
  },
  {
    name: 'an unset variable',
    text: 'servers:\n  math: { http: http://127.0.0.1:1/mcp, credentials: { header: { x: "${MCPLEX_E2E_UNSET}" } } }\n',
    says: [/unset-variable/, /MCPLEX_E2E_UNSET/, /:2:/],
  },
  { name: 'a wrong type', text: 'servers: 7\n', says: [/wrong-type/, /:1:10\b/] },
  { name: 'a bad name', text: 'servers: { my_math: http://127.0.0.1:1/mcp }\n', says: [/bad-name/, /my_math/] },
  {
    name: 'an open listener without authentication',
    text: 'listen: 0.0.0.0:8080\nservers: {}\n',
    says: [/unsafe-listener/, /insecure: true/],
  },
  { name: 'a metadata address', text: 'servers: { cloud: http://169.254.169.254/mcp }\n', says: [/unsafe-url/] },
  {
    name: 'what is not done yet',
    text: 'servers: { pets: { openapi: { url: http://127.0.0.1:1/openapi.json } } }\n',
    says: [/not-supported/],
  },
  {
    name: 'three problems',
    text: 'lissten: 8080\nservers:\n  a_b: http://127.0.0.1:1/mcp\n  c: 7\n',
    says: [/unknown-key.*bad-name.*wrong-type/s],
  },
]

test('bad documents end with 78 and say where and why', async (t) => {
  for (const { name, text, says } of documents) {
    await t.test(name, async (t) => {
      const file = join(await temporaryDirectory(t), 'mcplex.yaml')
      await writeFile(file, text)
      for (const args of [
        ['run', '--config', file],
        ['check', file],
      ] as const) {
        const { code, stdout, stderr } = await runMcplex(args)
        assert.equal(code, 78, `${args[0]}: ${stdout}${stderr}`)
        for (const pattern of says) assert.match(stderr, pattern)
        assert.equal(stdout, '')
      }
    })
  }
  await t.test('a file that is not there', async (t) => {
    const file = join(await temporaryDirectory(t), 'none.yaml')
    const { code, stderr } = await runMcplex(['run', '--config', file])
    assert.equal(code, 78, stderr)
    assert.match(stderr, /unreadable-file/)
    assert.match(stderr, /none\.yaml/)
  })
})

test('wrong arguments end with 2, an endpoint that is not there with 69', async () => {
  for (const args of [['nonsense'], ['run', '--nonsense'], ['check']]) {
    const { code, stderr } = await runMcplex(args)
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.notEqual(stderr, '')
  }
  const url = `http://127.0.0.1:${await freePort()}/mcp`
  const { code, stderr } = await runMcplex(['tools', url])
  assert.equal(code, 69, stderr)
  assert.match(stderr, /unreachable/)
})

test('a port in use: a configured one is a failure', async (t) => {
  const port = await freePort()
  await occupy(t, port)
  const file = join(await temporaryDirectory(t), 'mcplex.yaml')
  await writeFile(file, `listen: ${port}\nadmin: { listen: "127.0.0.1:${await freePort()}" }\nservers: {}\n`)
  const { code, stderr } = await runMcplex(['run', '--config', file])
  assert.equal(code, 1, stderr)
  const says = runtimeExamples['port-in-use'].says.replace('mcplex.yaml', file).replace(':8080', `:${port}`)
  assert.equal(stderr.trimEnd(), says.replaceAll('8081', String(port + 1)))
})

test('docs/problems.md shows what is said of a file of records that can not be opened', async (t) => {
  const directory = await temporaryDirectory(t)
  const file = join(directory, 'mcplex.yaml')
  const own = (text: string) => text.replaceAll('/var/log/mcplex', join(directory, 'none'))
  const audit = own('policies:\n  audit: { sinks: [{ file: /var/log/mcplex/audit.jsonl }] }')
  await writeFile(file, `servers: {}\n${audit}\nlisten: ${await freePort()}\nadmin: { listen: "127.0.0.1:${await freePort()}" }\n`)
  const { code, stderr } = await runMcplex(['run', '--config', file])
  assert.deepEqual([code, stderr.trimEnd()], [78, own(runtimeExamples['unwritable-file'].says).replace('mcplex.yaml', file)])
})

test('docs/problems.md shows what is said of a server that is not there, and of a pattern that selects nothing', async (t) => {
  const port = await freePort()
  const file = join(await temporaryDirectory(t), 'mcplex.yaml')
  await writeFile(file, `servers: { math: "http://127.0.0.1:${port}/mcp" }\n`)
  const { code, stderr } = await runMcplex(['tools', file])
  assert.equal(code, 69)
  assert.equal(stderr.trimEnd(), runtimeExamples.unreachable.says.replace(':8001', `:${port}`))

  const math = await fixtureServer(t, 'legacy-server.ts', 'json')
  const gateway = await startGateway(t, `servers: { math: ${math.url} }\nagents: { sre: { tools: ["math_ad_*"] } }\n`)
  await until('the warning', () => (gateway.log().includes(runtimeExamples['selects-nothing'].says) ? true : undefined), {
    explain: gateway.log,
  })
})

test('a port in use: the demo takes the next free one and says so', async (t) => {
  await occupy(t, 8080)
  const child = startMcplex(t, ['run'], { cwd: await temporaryDirectory(t) })
  const output = () => child.stdout() + child.stderr()
  const port = await untilReady(child, async () => {
    const found = /http:\/\/127\.0\.0\.1:(\d+)\/mcp\b/.exec(output())?.[1]
    return found !== undefined && (await canConnect(Number(found))) ? found : undefined
  })
  assert.notEqual(port, '8080')
  assert.match(output(), /8080/)
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await child.finished
  assert.equal(code, 0, stderr)
  assert.ok((stdout + stderr).trimEnd().split('\n').length <= 12, `at most 12 lines:\n${stdout}${stderr}`)
})

/** Listens on the port until the test's end; where somebody else does already, that will do. */
async function occupy(t: TestContext, port: number): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.once('listening', resolve)
    server.once('error', () => resolve())
    server.listen(port, '127.0.0.1')
  })
  atEnd(t, () => close(server))
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
