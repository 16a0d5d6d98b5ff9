import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }
import { exitCode } from '../src/cli/terminal/exit-code.ts'
import { parseConfig } from '../src/config/config.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('what is packed', () => {
  it('has the version of the package, everywhere', () => {
    for (const chart of ['mcplex', 'mcplex-crds']) {
      const { name, version, appVersion } = parse(read(`deploy/helm/${chart}/Chart.yaml`))
      assert.deepEqual([name, version, appVersion], [chart, packageJson.version, packageJson.version])
    }
    assert.match(read('Dockerfile'), new RegExp(`^ARG VERSION=${packageJson.version}$`, 'm'))
    for (const path of ['README.md', 'docs/running.md', 'examples/compose/compose.yaml']) {
      const versions = [...read(path).matchAll(/\bmcplex[:-]([0-9]+\.[0-9]+\.[0-9]+)\b/g)].map(([, version]) => version)
      assert.ok(versions.length > 0, path)
      assert.deepEqual(new Set(versions), new Set([packageJson.version]), path)
    }
  })

  it('is on the Node.js that the project is developed with', () => {
    const [major] = packageJson.devDependencies.node.split('.')
    assert.match(read('Dockerfile'), new RegExp(`^FROM node:${major}-slim$`, 'm'))
  })

  it('leads to every definition of ours, and to none of others, by `kubectl apply -k`', () => {
    const { resources } = parse(read('deploy/kustomization.yaml'))
    const ours = readdirSync(join(root, 'deploy/crds')).filter((name) => name.startsWith('mcplex.dev_'))
    assert.deepEqual(
      resources.toSorted(),
      [...ours.map((name) => `crds/${name}`), 'budget.yaml', 'controller.yaml', 'rbac.yaml'].toSorted(),
    )
  })
})

describe('the compose file', () => {
  const folder = join(root, 'examples/compose')
  const { services, ...rest } = parse(read('examples/compose/compose.yaml'))
  const { build, ports, volumes, healthcheck } = services.mcplex
  const config = parse(read('examples/compose/config/mcplex.yaml'))

  it('builds the image, and has its configuration where the image looks for it', () => {
    assert.deepEqual(rest, {})
    assert.ok(existsSync(join(folder, build, 'Dockerfile')))
    const [source, target, mode] = volumes[0].split(':')
    assert.ok(existsSync(join(folder, source, 'mcplex.yaml')))
    const workingDirectories = [...read('Dockerfile').matchAll(/^WORKDIR (.*)$/gm)]
    assert.deepEqual([target, mode], [workingDirectories.at(-1)?.[1], 'ro'])
  })

  it('publishes the listener to this machine alone, and asks the admin listener', () => {
    assert.deepEqual(ports, [`127.0.0.1:8080:${config.listeners[0].port}`])
    assert.equal(config.listeners[0].address, '0.0.0.0')
    const { config: usual } = parseConfig('servers: {}', { env: {}, readFile: () => '' })
    assert.ok(healthcheck.test.at(-1).includes(`'http://${usual?.admin.listen}/readyz'`))
  })

  it('has every server that the configuration names, at its port', () => {
    for (const url of Object.values<string>(config.servers)) {
      const { hostname, port } = new URL(url)
      assert.equal(services[hostname].environment.PORT, port)
    }
  })
})

describe('the unit of systemd', () => {
  const unit = read('deploy/systemd/mcplex.service')
  const settings = new Map([...unit.matchAll(/^([A-Za-z]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

  it('runs a file, gives calls in flight their time, and is not started again for a configuration that has errors', () => {
    assert.equal(settings.get('ExecStart'), '/usr/bin/env mcplex run --config /etc/mcplex/mcplex.yaml')
    assert.ok(Number(settings.get('TimeoutStopSec')) > 25)
    assert.equal(settings.get('RestartPreventExitStatus'), String(exitCode.badConfiguration))
  })

  it('is one that systemd takes, and that is confined', (t) => {
    const path = join(root, 'deploy/systemd/mcplex.service')
    const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
    if (verified.error !== undefined) return t.skip('there is no systemd-analyze')
    assert.deepEqual([verified.status, verified.stderr], [0, ''])
    // 20 is an exposure of 2.0 of 10.
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', path], { encoding: 'utf8' })
    assert.equal(judged.status, 0, judged.stdout)
  })
})

describe('the walk through the post', () => {
  it("has the post's files, byte for byte", () => {
    const names = readdirSync(join(root, 'test/seed')).filter((name) => name.endsWith('.yaml'))
    assert.ok(names.length > 0)
    for (const name of names)
      assert.ok(readFileSync(join(root, 'deploy/post', name)).equals(readFileSync(join(root, 'test/seed', name))), name)
    assert.deepEqual(readdirSync(join(root, 'deploy/post')).toSorted(), [...names, 'README.md'].toSorted())
  })
})
