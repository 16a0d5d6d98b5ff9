import assert from 'node:assert/strict'
import { chmod, cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { temporaryDirectory, untilReady } from './gateway.ts'
import { checkout } from './setup/cache.ts'
import { buildImage, runInImage, startImage } from './setup/image.ts'
import { need } from './setup/part.ts'
import { openSandbox, type Sandbox } from './setup/sandbox.ts'

const loopback = 'http://127.0.0.1:8080/mcp'
/** An address of the sandbox that is not loopback's own name: where a container's published port leads to. */
const outside = '10.88.0.2'

const initialize = `
  const [url, host] = process.argv.slice(1)
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'probe', version: '1' } }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  const headers = { host, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const request = require('node:http').request(url, { method: 'POST', headers }, ({ statusCode }) => {
    console.log(statusCode)
    request.destroy()
  })
  request.on('error', ({ code }) => code && console.log(JSON.stringify(code)))
  request.end(body)`

test('the image of the Dockerfile', async (t) => {
  const image = await need(t, buildImage(t))
  const sandbox = image && (await need(t, openSandbox(t, { hosts: { everything: '127.0.0.1' } })))
  if (image === undefined || sandbox === undefined) return
  const { config, root } = image
  assert.equal((await sandbox.run('ip', ['address', 'add', `${outside}/32`, 'dev', 'lo'])).code, 0)

  await t.test('says what it is, and that it is not run as root', () => {
    const { 'io.buildah.version': _, ...labels } = config.Labels
    assert.deepEqual(labels, {
      'org.opencontainers.image.title': packageJson.name,
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.revision': 'unknown',
    })
    assert.deepEqual([config.User, config.Entrypoint], ['10101:10101', ['node', '--disable-sigusr1', '/app/bin/mcplex.js']])
  })

  await t.test('holds the bundles and their papers, nothing else', async () => {
    const files = (await readdir(join(root, 'app'), { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory())
    const paths = files.map((entry) => join(entry.parentPath, entry.name).slice(`${root}/app/`.length)).sort()
    const isChunk = (path: string) => /^dist\/chunks\/[a-z-]+-[0-9A-Z]{8}\.js$/.test(path)
    assert.ok(paths.some(isChunk))
    assert.deepEqual(
      paths.filter((path) => !isChunk(path)),
      ['LICENSE', 'bin/mcplex.js', 'dist/THIRD-PARTY-LICENSES.txt', 'dist/mcplex.js', 'package.json'],
    )
  })

  await t.test('is run here as it will be: as its user, with a root that is only read', async () => {
    const script = `
      const { writeFileSync } = require('node:fs')
      const codeOf = (act) => { try { act() } catch (error) { return error.code } }
      const said = { uid: process.getuid(), gid: process.getgid(), groups: process.getgroups() }
      said.writes = ['/a', '/app/a'].map((path) => codeOf(() => writeFileSync(path, '')))
      console.log(JSON.stringify(said))`
    const { stdout, stderr } = await runInImage(sandbox, image, ['node', '-e', script])
    assert.equal(stderr, '')
    assert.deepEqual(JSON.parse(stdout), { uid: 10101, gid: 10101, groups: [10101], writes: ['EROFS', 'EROFS'] })
  })

  await t.test('tells its version', async () => {
    const { code, stdout, stderr } = await runInImage(sandbox, image, [...config.Entrypoint, '--version'])
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  await t.test('serves the demo where it has no configuration, on its own loopback alone', async () => {
    const child = startImage(sandbox, image)
    const tools = await untilReady(child, () => toolsAt(loopback))
    assert.match(tools, /math_add/)
    assert.equal(await statusOf(`http://${outside}:8080/mcp`, '127.0.0.1:8080'), 'ECONNREFUSED')
    child.kill('SIGTERM')
    const { code } = await child.finished
    assert.equal(code, 0)
  })

  await t.test("serves the compose file's configuration at a published port, to the names that it is published under", async (t) => {
    const server = join(import.meta.dirname, 'fixtures/legacy-server.ts')
    sandbox.start(process.execPath, [server, '3001'])
    const folder = await temporaryDirectory(t)
    await cp(join(checkout, 'examples/compose/config'), folder, { recursive: true })
    await chmod(folder, 0o755)
    const { code, stdout } = await runInImage(sandbox, image, [...config.Entrypoint, 'check', 'mcplex.yaml'], folder)
    assert.equal(code, 0, stdout)

    const child = startImage(sandbox, image, { folder })
    // A published port is the container's address to it, with the Host that clients write.
    const published = `http://${outside}:8080/mcp`
    await untilReady(child, async () => ((await statusOf(published, '127.0.0.1:8080')) === 200 ? true : undefined))
    // The server behind it is met in its own time.
    await untilReady(child, async () => ((await toolsAt(loopback))?.includes('everything_echo') ? true : undefined))
    assert.equal(await statusOf(published, 'localhost:8080'), 200)
    assert.equal(await statusOf(published, 'page.example:8080'), 403)
    assert.equal(await statusOf(`http://${outside}:15000/readyz`, '127.0.0.1:15000'), 'ECONNREFUSED')
    const { services } = parse(await readFile(join(checkout, 'examples/compose/compose.yaml'), 'utf8'))
    const [how, ...probe] = services.mcplex.healthcheck.test
    assert.equal(how, 'CMD')
    assert.equal((await runInImage(sandbox, image, probe)).code, 0)
    child.kill('SIGTERM')
    assert.equal((await child.finished).code, 0)
    assert.equal((await runInImage(sandbox, image, probe)).code, 1)
  })

  /** What `mcplex tools` of the image says of a URL. */
  async function toolsAt(url: string): Promise<string | undefined> {
    if (sandbox === undefined || image === undefined) return undefined
    const { code, stdout } = await runInImage(sandbox, image, [...image.config.Entrypoint, 'tools', url])
    return code === 0 ? stdout : undefined
  }

  /** The status of a legacy client's first request, or the code of the error where there is no connection. */
  async function statusOf(url: string, host: string): Promise<number | string | undefined> {
    const { stdout } = await (sandbox as Sandbox).run(process.execPath, ['-e', initialize, url, host])
    return JSON.parse(stdout)
  }
})
