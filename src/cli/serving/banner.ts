/** What `mcplex run` has to say once it serves. */
export interface Ready {
  readonly version: string
  readonly readyMs: number
  /** Where the configuration came from; undefined for the demo. */
  readonly file: string | undefined
  readonly endpoints: readonly { readonly url: string; readonly agent: string | undefined }[]
  readonly servers: readonly { readonly name: string; readonly state: string }[]
  /** One line that must be read, such as that the port was taken. */
  readonly note: string | undefined
}

const maxEndpoints = 3
const maxServers = 5

/** At most 12 lines: when, where, what is behind it, and what to paste into a client. */
export function bannerLines(ready: Ready): string[] {
  const width = Math.max(8, ...ready.servers.slice(0, maxServers).map((server) => server.name.length))
  const row = (name: string, text: string) => `  ${name.padEnd(width)}  ${text}`
  const shown = ready.endpoints.slice(0, maxEndpoints)
  const clients = shown.map(({ url, agent }) => [agent ?? 'mcplex', { type: 'http', url }])
  return [
    `mcplex ${ready.version} ready in ${(ready.readyMs / 1000).toFixed(2)} s, ${ready.file === undefined ? 'no configuration: a demo with two servers of its own' : `configuration ${ready.file}`}`,
    ...(ready.note === undefined ? [] : [`  ${ready.note}`]),
    ...limited(ready.endpoints, maxEndpoints, ({ url, agent }) => row('endpoint', agent === undefined ? url : `${url} (agent ${agent})`)),
    ...limited(ready.servers, maxServers, ({ name, state }) => row(name, state)),
    ...(clients.length === 0 ? [] : ['To use it, add to your MCP client:', JSON.stringify({ mcpServers: Object.fromEntries(clients) })]),
  ]
}

/** At most `max` lines: the last says how many items it stands for. */
function limited<T>(items: readonly T[], max: number, show: (item: T) => string): string[] {
  const rest = items.length - max
  return rest <= 0 ? items.map(show) : [...items.slice(0, max - 1).map(show), `  and ${rest + 1} more`]
}
