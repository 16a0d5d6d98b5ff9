import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { untilReady } from './gateway.ts'
import { buildImage, runInImage, startImage } from './setup/image.ts'
import { need } from './setup/part.ts'
import { openSandbox } from './setup/sandbox.ts'

test('the image of the Dockerfile', async (t) => {
  const image = await need(t, buildImage(t))
  const sandbox = image && (await need(t, openSandbox(t, {})))
  if (image === undefined || sandbox === undefined) return
  const { config, root } = image

  await t.test('says what it is, and that it is not run as root', () => {
    const { 'io.buildah.version': _, ...labels } = config.Labels
    assert.deepEqual(labels, {
      'org.opencontainers.image.title': packageJson.name,
      'org.opencontainers.image.description': packageJson.description,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.revision': 'unknown',
    })
    assert.deepEqual([config.User, config.Entrypoint], ['10101:10101', ['node', '/app/bin/mcplex.js']])
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

  await t.test('tells its version, and how it is used where nothing is said', async () => {
    const ask = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runInImage(sandbox, image, [...config.Entrypoint, ...args])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      return stdout
    }
    assert.equal(await ask('--version'), `${packageJson.version}\n`)
    assert.match(await ask(...config.Cmd), /^Usage: mcplex /)
  })

  await t.test('serves', async () => {
    const child = startImage(sandbox, image, ['run'])
    const tools = await untilReady(child, async () => {
      const { code, stdout } = await runInImage(sandbox, image, [...config.Entrypoint, 'tools', 'http://127.0.0.1:8080/mcp'])
      return code === 0 ? stdout : undefined
    })
    assert.match(tools, /math_add/)
    child.kill('SIGTERM')
    const { code } = await child.finished
    assert.equal(code, 0)
  })
})
