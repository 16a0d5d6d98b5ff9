import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'
import { must, prepared } from './cache.ts'
import { run, start } from './child.ts'
import { missing, type Part } from './part.ts'
import { freePort } from './ports.ts'
import { until } from './wait.ts'

/** The newest of 26; it runs on Java 17. */
const version = '26.7.3'
const oldestJava = 17
/** Copies an artifact without a project. */
const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy'
/** Little memory, and an early start rather than fast code: it answers a few hundred requests. */
const javaOptions = [
  ...['-Xms64m', '-Xmx512m', '-XX:MaxMetaspaceSize=256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  ...['-XX:+ExitOnOutOfMemoryError', '-Djava.net.preferIPv4Stack=true', '-Dfile.encoding=UTF-8'],
].join(' ')

/** A running Keycloak with one realm, on a port of 127.0.0.1. */
export interface Keycloak {
  readonly origin: string
  /** The `iss` of the realm's tokens. */
  readonly issuer: string
  /** The realm's own administration: a path such as `/components`. Throws where it isn't done. */
  admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown>
  /** From here on it accepts connections and answers nothing. */
  freeze(): void
  /** The end of `freeze`: resolves when it answers again. */
  thaw(): Promise<void>
}

/** The directory of a Keycloak from its Maven artifact, set up for a database in memory: about 40 s the first time. */
export async function keycloak(): Promise<Part<string>> {
  const java = await run('java', ['-version'])
  const found = Number(/version "(\d+)/.exec(java.stderr)?.[1] ?? 0)
  if (java.code !== 0 || found < oldestJava) return missing(`Keycloak needs java of at least ${oldestJava}: ${java.stderr.trim()}`)
  const maven = await run('mvn', ['--version'])
  if (maven.code !== 0) return missing(`Keycloak comes by mvn, which isn't installed: ${maven.stderr.trim()}`)
  return prepared(`keycloak-${version}`, async (directory) => {
    const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`
    await must('mvn', ['--quiet', '--batch-mode', copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`])
    const archive = join(directory, `keycloak-quarkus-dist-${version}.tar.gz`)
    await must('tar', ['-xzf', archive, '-C', directory, '--strip-components=1'])
    await rm(archive)
    await must(join(directory, 'bin/kc.sh'), ['build', '--db=dev-mem'], { JAVA_OPTS: javaOptions })
  })
}

/**
 * Starts Keycloak with a realm in the form of its exports, and waits until that answers: 10 to 20 s. The test's end kills it; nothing is
 * kept on disk.
 * @param installed the directory that `keycloak` gives
 */
export async function startKeycloak(t: TestContext, installed: string, realm: { readonly realm: string }): Promise<Keycloak> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const issuer = `${origin}/realms/${realm.realm}`
  const child = start(
    t,
    join(installed, 'bin/kc.sh'),
    [
      ...[`-Dkc.home.dir=${await homeOf(t, installed, realm)}`, 'start', '--optimized', '--import-realm', '--cache=local'],
      ...['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`, `--hostname=${origin}`],
    ],
    { env: { JAVA_OPTS: javaOptions, KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: 'admin' } },
  )
  const log = () => `${child.stdout()}${child.stderr()}`
  const answers = async () => {
    if (!child.isRunning) return 'ended'
    const reply = await fetch(`${issuer}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(5000) })
    return reply.ok ? 'ready' : undefined
  }
  const untilReady = () => until(`Keycloak's realm ${realm.realm}`, answers, { timeoutMs: 120_000, everyMs: 50, explain: log })
  if ((await untilReady()) === 'ended') throw new Error(`Keycloak ended before it was ready:\n${log()}`)
  return {
    origin,
    issuer,
    async admin(method, path, body) {
      const token = await adminToken(origin)
      const reply = await fetch(`${origin}/admin/realms/${realm.realm}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await reply.text()
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
      return text === '' ? undefined : JSON.parse(text)
    },
    freeze: () => child.kill('SIGSTOP'),
    async thaw() {
      child.kill('SIGCONT')
      await untilReady()
    },
  }
}

/** A home of its own beside the installation's programs: the realm to be imported, and what Keycloak writes while it runs. */
async function homeOf(t: TestContext, installed: string, realm: { readonly realm: string }): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'mcplex-keycloak-'))
  atEnd(t, () => rm(home, { recursive: true, force: true }))
  for (const name of ['lib', 'conf', 'providers', 'themes']) await symlink(join(installed, name), join(home, name))
  await mkdir(join(home, 'data/import'), { recursive: true })
  await writeFile(join(home, 'data/import', `${realm.realm}.json`), JSON.stringify(realm))
  return home
}

async function adminToken(origin: string): Promise<string> {
  const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' }
  const reply = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = (await reply.json()) as { readonly access_token?: string }
  if (token === undefined) throw new Error(`no token for Keycloak's administrator: ${reply.status}`)
  return token
}
