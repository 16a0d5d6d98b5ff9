import type { Json, Operation, Reference } from './script.ts'

/** The operation as the endpoint of many servers wants it that shows this server's things with its prefix. */
export function exposed(server: string, operation: Operation): Operation {
  switch (operation.do) {
    case 'call':
      return { ...operation, tool: `${server}_${operation.tool}` }
    case 'prompt':
      return { ...operation, name: `${server}_${operation.name}` }
    case 'read':
    case 'subscribe':
    case 'unsubscribe':
      return { ...operation, uri: exposedUri(server, operation.uri) }
    case 'complete':
      return { ...operation, ref: exposedReference(server, operation.ref) }
    case 'list':
    case 'level':
    case 'hear':
      return operation
  }
}

/** What the endpoint answered, with the server's own URIs wherever URIs stand. A URI that lacks the prefix comes out as something no server says. */
export function unexposed(server: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => unexposed(server, one))
  if (typeof value !== 'object' || value === null) return value
  const pairs = Object.entries(value).map(([key, inner]) => [key, isUri(key, inner) ? ownUri(server, inner) : unexposed(server, inner)])
  return Object.fromEntries(pairs)
}

/** An entry of a list, as its server lists it, and which of the servers that is. */
export function unexposedEntry(servers: readonly string[], entry: Json): { readonly server: string | undefined; readonly entry: unknown } {
  const { name, uri = entry['uriTemplate'] } = entry
  const isNamed = uri === undefined
  const server = servers.find((one) =>
    isNamed ? String(name).startsWith(`${one}_`) : ownUri(one, String(uri)) !== notExposed(String(uri)),
  )
  if (server === undefined) return { server, entry }
  const own = unexposed(server, entry) as Json
  return { server, entry: isNamed ? { ...own, name: String(name).slice(server.length + 1) } : own }
}

function exposedUri(server: string, uri: string): string {
  return uri.startsWith('ui://') ? `ui://${server}+${uri.slice('ui://'.length)}` : `${server}+${uri}`
}

function exposedReference(server: string, ref: Reference): Reference {
  return ref.type === 'ref/prompt' ? { ...ref, name: `${server}_${ref.name}` } : { ...ref, uri: exposedUri(server, ref.uri) }
}

function ownUri(server: string, uri: string): string {
  if (uri.startsWith(`ui://${server}+`)) return `ui://${uri.slice(`ui://${server}+`.length)}`
  return uri.startsWith(`${server}+`) ? uri.slice(server.length + 1) : notExposed(uri)
}

/** A link to what no server lists is the client's to fetch and stays as it is; anything else must have had the prefix. */
function notExposed(uri: string): string {
  return uri === 'https://example.com/elsewhere' ? uri : `without the prefix: ${uri}`
}

function isUri(key: string, value: unknown): value is string {
  return ['uri', 'uriTemplate', 'resourceUri'].includes(key) && typeof value === 'string'
}
