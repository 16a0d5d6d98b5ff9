import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import type { Identity } from '../../kube/kube.ts'

/** How long headers are used before they are asked for again, as a plugin's token may have been replaced. */
const headersMs = 5000
/** How long a token's file is used before it is read again: it is replaced well before the token in it expires. */
const tokenMs = 60_000

/**
 * Reads the identity from kubeconfig files as kubectl does: the first of equal names counts, and the first current context. Throws where a
 * file, the context or its user is missing, or where it asks for a way to connect or to authenticate that is not supported here.
 */
export async function kubeconfigIdentity(
  files: readonly string[],
  context: string | undefined,
  now: () => number,
): Promise<Identity & { refresh(): void }> {
  const [config = new KubeConfig(), ...others] = files.map((file) => {
    const one = new KubeConfig()
    one.loadFromFile(file)
    return one
  })
  for (const other of others) {
    for (const cluster of other.getClusters()) if (config.getCluster(cluster.name) === null) config.addCluster(cluster)
    for (const user of other.getUsers()) if (config.getUser(user.name) === null) config.addUser(user)
    for (const one of other.getContexts()) if (config.getContextObject(one.name) === null) config.addContext(one)
    if (!config.getCurrentContext()) config.setCurrentContext(other.getCurrentContext())
  }
  if (context !== undefined) config.setCurrentContext(context)
  const name = config.getCurrentContext()
  const cluster = config.getCurrentCluster()
  if (cluster === null)
    throw new Error(name ? `there is no context ${name} with a cluster` : 'no context is current: name one by --context')
  const userName = config.getContextObject(name)?.user
  if (userName && config.getCurrentUser() === null) throw new Error(`context ${name} names the user ${userName}, which no file has: add it`)
  const unsupported = [
    ...membersOf(files, 'clusters', 'cluster', cluster.name, unsupportedOfCluster).map((member) => `cluster ${cluster.name}: ${member}`),
    ...membersOf(files, 'users', 'user', userName, unsupportedOfUser).map((member) => `user ${userName}: ${member}`),
  ]
  if (unsupported.length > 0) throw new Error(`${unsupported.join('; ')}`)

  const ask = async () => {
    const options: Record<string, unknown> & { headers: Record<string, string> } = { headers: {} }
    await config.applyToHTTPSOptions(options)
    return options
  }
  let last = { options: await ask(), atMs: now() }
  const token = tokenOf(files, config.getCurrentUser()?.name, now)
  const text = (member: string) => {
    const value = last.options[member]
    return typeof value === 'string' || Buffer.isBuffer(value) ? { [member]: value.toString('utf8') } : {}
  }
  return {
    server: cluster.server,
    namespace: config.getContextObject(name)?.namespace ?? 'default',
    tls: {
      ...text('ca'),
      ...text('cert'),
      ...text('key'),
      ...(cluster.tlsServerName === undefined ? {} : { servername: cluster.tlsServerName }),
      ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
    },
    async headers() {
      if (now() - last.atMs >= headersMs) last = { options: await ask(), atMs: now() }
      return { ...last.options.headers, ...token.header() }
    },
    refresh() {
      last = { ...last, atMs: Number.NEGATIVE_INFINITY }
      token.forget()
    },
  }
}

/**
 * Reads the token in a user's `tokenFile`, which the library doesn't read and which takes precedence over all else. Throws where it can't
 * be read.
 */
function tokenOf(files: readonly string[], user: string | undefined, now: () => number) {
  const file = tokenFileOf(files, user)
  const read = () => ({ header: file === undefined ? {} : { Authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` }, atMs: now() })
  let last = read()
  return {
    header(): Readonly<Record<string, string>> {
      if (now() - last.atMs >= tokenMs) last = read()
      return last.header
    },
    forget() {
      last = { ...last, atMs: Number.NEGATIVE_INFINITY }
    },
  }
}

/** Settings that would be ignored silently, with what to do instead. */
const unsupportedOfCluster = { 'proxy-url': 'connect without a proxy, such as by kubectl proxy or a tunnel' } as const
const unsupportedOfUser = {
  username: 'use a token or a certificate',
  password: 'use a token or a certificate',
  'as-uid': 'use an account of its own',
  'as-groups': 'use an account of its own',
  'as-user-extra': 'use an account of its own',
} as const

/** For each unsupported member that is set, a part of a sentence that names it. */
function membersOf(
  files: readonly string[],
  list: 'clusters' | 'users',
  member: 'cluster' | 'user',
  name: string | undefined,
  unsupported: Readonly<Record<string, string>>,
): readonly string[] {
  const found = firstOf(files, list, name)?.item[member]
  const isSaid = (key: string) => isRaw(found) && ![undefined, null, ''].some((nothing) => found[key] === nothing)
  return Object.entries(unsupported).flatMap(([key, remedy]) => (isSaid(key) ? [`${key} is not supported: ${remedy}`] : []))
}

/** The `tokenFile` in the first file that has the user, relative to that file's folder. */
function tokenFileOf(files: readonly string[], name: string | undefined): string | undefined {
  const found = firstOf(files, 'users', name)
  const user = found?.item['user']
  const path = isRaw(user) ? user['tokenFile'] : undefined
  return found !== undefined && typeof path === 'string' && path !== '' ? resolve(dirname(found.file), path) : undefined
}

/** The first entry of that name in a list of the files. */
function firstOf(
  files: readonly string[],
  list: string,
  name: string | undefined,
): { readonly file: string; readonly item: Raw } | undefined {
  for (const file of files) {
    const items: unknown = parse(readFileSync(file, 'utf8'))?.[list]
    const item: unknown = Array.isArray(items) ? items.find((one) => one?.name === name) : undefined
    if (isRaw(item)) return { file, item }
  }
  return undefined
}

type Raw = Readonly<Record<string, unknown>>

function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
