/** A Config's document, as far as the summary reads it. */
export interface PlainDocument {
  readonly listeners: readonly { readonly name: string; readonly port: number; readonly hostname?: string }[]
  readonly backends: Readonly<Record<string, { readonly servers: Readonly<Record<string, Server>> }>>
  readonly agents?: Readonly<Record<string, { readonly from: readonly string[]; readonly tools?: readonly string[] }>>
  readonly routes: readonly {
    readonly name: string
    readonly listeners: readonly string[]
    readonly hostnames?: readonly string[]
    readonly rules: readonly {
      readonly matches: readonly { readonly path?: { readonly value: string } }[]
      readonly backends: readonly Target[]
      readonly timeouts?: { readonly request?: string }
    }[]
  }[]
}

interface Server {
  readonly http: { readonly host: string; readonly port: number }
  readonly credentials?: { readonly header: Readonly<Record<string, string>> }
}

interface Target {
  readonly backend?: string
  readonly agent?: string
  readonly refuse?: { readonly status: number; readonly reason: string }
}

/** A line for each listener (`NAME:PORT HOSTNAME`) and each rule (`ROUTE on LISTENERS: PATH → TARGET`), names of that namespace without it. */
export function summaryOf(document: PlainDocument, namespace: string): readonly string[] {
  const listeners = document.listeners.map(({ name, port, hostname }) => [`${name}:${port}`, hostname].join(' ').trim())
  const rules = document.routes.flatMap(({ name, listeners, hostnames, rules }) =>
    rules.map(({ matches, backends, timeouts }) => {
      const on = [name, 'on', listeners.join(', '), ...(hostnames === undefined ? [] : ['for', hostnames.join(', ')])].join(' ')
      const paths = matches.map((match) => match.path?.value ?? 'any').join(', ')
      const targets = backends.map((target) => targetText(target, document)).join(' or ')
      return `${on}: ${paths} → ${targets}${timeouts?.request === undefined ? '' : ` within ${timeouts.request}`}`
    }),
  )
  return [...listeners, ...rules].map((line) => line.replaceAll(`${namespace}/`, ''))
}

function targetText({ backend, agent, refuse }: Target, document: PlainDocument): string {
  if (refuse !== undefined) return `${refuse.status}: ${refuse.reason}`
  if (backend !== undefined) return backendText(backend, document)
  const { from = [], tools = [] } = document.agents?.[agent ?? ''] ?? {}
  return `agent ${agent} (${tools.join(', ')}) of ${from.map((name) => backendText(name, document)).join(' and ')}`
}

function backendText(name: string, { backends }: PlainDocument): string {
  const servers = Object.entries(backends[name]?.servers ?? {}).map(([server, { credentials }]) =>
    [server, ...Object.entries(credentials?.header ?? {}).map(([header, value]) => `with ${header}: ${value}`)].join(' '),
  )
  return `${name} (${servers.join(', ')})`
}
