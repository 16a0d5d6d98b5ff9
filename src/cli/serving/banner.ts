import { clientLines } from './client-lines.ts'

/** What `mcplex run` prints once it serves. */
export interface Ready {
  readonly version: string
  readonly readyMs: number
  /** Where the configuration came from; undefined for the demo. */
  readonly file: string | undefined
  /** How many servers are ready, how many there are, and the tools of those that are ready. */
  readonly totals: { readonly ready: number; readonly servers: number; readonly tools: number }
  /** False where nothing is served: `faults` says why. */
  readonly isReady: boolean
  /** Why requests are refused or served only in part; empty where nothing is wrong. */
  readonly faults: readonly string[]
  readonly endpoints: readonly { readonly url: string; readonly agent: string | undefined }[]
  readonly servers: readonly ServerLine[]
  /** The address of status and metrics, as HOST:PORT. */
  readonly admin: string
  /** A note, such as that the usual port was in use. */
  readonly note: string | undefined
}

export interface ServerLine {
  readonly name: string
  readonly isReady: boolean
  /** Its state in words: its era and tools, or what is wrong with it. */
  readonly state: string
}

const maxFaults = 3
const maxEndpoints = 3
const maxServers = 5
/** Most items of each list in a log record, since log collectors cut long lines. */
const maxRecorded = 20

/**
 * A few lines for people: how fast it started, what is served and where, which servers are behind it (broken ones first), what is wrong,
 * and how to connect a client.
 */
export function bannerLines(ready: Ready): string[] {
  const endpoints = mainFirst(ready.endpoints)
  const servers = brokenFirst(ready.servers)
  const width = Math.max(8, ...servers.slice(0, maxServers).map((server) => server.name.length))
  const row = (name: string, text: string) => `  ${name.padEnd(width)}  ${text}`
  const [first] = endpoints
  return [
    `mcplex ${ready.version} ${ready.isReady ? 'ready' : 'started, but not ready,'} in ${(ready.readyMs / 1000).toFixed(2)} s: ${totalsText(ready)}; ${ready.file === undefined ? 'no configuration: a demo with two servers of its own' : `configuration ${ready.file}`}`,
    ...(ready.note === undefined ? [] : [`  ${ready.note}`]),
    ...limited(ready.faults, maxFaults, (fault) => row('fault', fault)),
    ...limited(endpoints, maxEndpoints, ({ url, agent }) => row('endpoint', agent === undefined ? url : `${url} (agent ${agent})`)),
    row('admin', `http://${ready.admin} (status and metrics)`),
    ...limited(servers, maxServers, ({ name, state }) => row(name, state), brokenText),
    ...(first === undefined ? [] : clientLines(isMain(first.url) ? 'mcplex' : (first.agent ?? 'mcplex'), first.url)),
  ]
}

/** The same as one log record, in which long lists are cut. */
export function readyFields({
  version,
  readyMs,
  file,
  note,
  totals,
  faults,
  endpoints,
  servers,
  admin,
}: Ready): Readonly<Record<string, unknown>> {
  const broken = servers.filter(({ isReady }) => !isReady)
  return {
    version,
    readyMs,
    file,
    note,
    ...totals,
    faults: faults.length === 0 ? undefined : faults.slice(0, maxRecorded),
    endpoints: mainFirst(endpoints).slice(0, maxRecorded),
    admin,
    notReady: broken.length === 0 ? undefined : broken.slice(0, maxRecorded).map(({ name, state }) => ({ name, state })),
  }
}

function totalsText({ totals: { ready, servers, tools } }: Ready): string {
  return `${ready === servers ? counted(servers, 'server') : `${ready} of ${counted(servers, 'server')}`}, ${counted(tools, 'tool')}`
}

/** Puts the endpoint first that clients try first, whatever its place in the document. */
function mainFirst(endpoints: Ready['endpoints']): Ready['endpoints'] {
  return endpoints.toSorted((a, b) => Number(isMain(b.url)) - Number(isMain(a.url)))
}

function isMain(url: string): boolean {
  return URL.parse(url)?.pathname === '/mcp'
}

function brokenFirst(servers: Ready['servers']): Ready['servers'] {
  return servers.toSorted((a, b) => Number(a.isReady) - Number(b.isReady))
}

/** How many of the servers that are left out are not ready. */
function brokenText(rest: Ready['servers']): string {
  const broken = rest.filter(({ isReady }) => !isReady).length
  return broken === 0 ? '' : `, ${broken} of them not ready`
}

/** At most `max` lines; if more would be needed, the last says how many items are left out. */
function limited<T>(
  items: readonly T[],
  max: number,
  show: (item: T) => string,
  more: (rest: readonly T[]) => string = () => '',
): string[] {
  if (items.length <= max) return items.map(show)
  const rest = items.slice(max - 1)
  return [...items.slice(0, max - 1).map(show), `  and ${rest.length} more${more(rest)}`]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
