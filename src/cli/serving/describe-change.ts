import type { Config } from '../../config/config.ts'

/** Names of one kind, each with what it is made of. */
type Parts = Readonly<Record<string, unknown>>

/** Names that are said of one kind of change; the others are counted. */
const maxNames = 8

/**
 * What another document changes, on one line such as `servers: +new, -old (34 tools), ~moved; agents: ~sre`: what is added, gone and changed,
 * by name alone, so that no secret is in it.
 * @param toolsOf how many tools a server had that is gone now, by `backend/name`
 */
export function describeChange(before: Config, after: Config, toolsOf: (server: string) => number | undefined): string {
  const withTools = (name: string) => {
    const tools = toolsOf(name)
    return `${shortName(name)}${tools === undefined ? '' : ` (${tools} ${tools === 1 ? 'tool' : 'tools'})`}`
  }
  const kinds: readonly [string, (config: Config) => Parts, ((name: string) => string)?][] = [
    ['listeners', ({ listeners }) => byName(listeners)],
    ['routes', routesOf],
    ['backends', backendsOf],
    ['servers', serversOf, withTools],
    ['agents', ({ agents }) => agents],
    ['policies', ({ policies = {} }) => policies as Parts],
    ['settings', settingsOf],
  ]
  const said = kinds.flatMap(([kind, partsOf, goneName = shortName]) => {
    const text = difference(partsOf(before), partsOf(after), goneName)
    return text === '' ? [] : [`${kind}: ${text}`]
  })
  return said.length === 0 ? 'nothing in the document itself' : said.join('; ')
}

function difference(before: Parts, after: Parts, goneName: (name: string) => string): string {
  const isIn = (parts: Parts) => (name: string) => Object.hasOwn(parts, name) && parts[name] !== undefined
  const [was, is] = [isIn(before), isIn(after)]
  const added = Object.keys(after).filter((name) => is(name) && !was(name))
  const gone = Object.keys(before).filter((name) => was(name) && !is(name))
  const changed = Object.keys(after).filter((name) => is(name) && was(name) && !isSame(before[name], after[name]))
  return [...named('+', added.map(shortName)), ...named('-', gone.map(goneName)), ...named('~', changed.map(shortName))].join(', ')
}

function named(sign: string, names: readonly string[]): readonly string[] {
  const shown = names.slice(0, maxNames).map((name) => `${sign}${name}`)
  return names.length > maxNames ? [...shown, `${sign}${names.length - maxNames} more`] : shown
}

/** What is written alike is alike: at worst something is called changed whose keys stand in another order. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function byName(items: readonly { readonly name: string }[]): Parts {
  return Object.fromEntries(items.map((item) => [item.name, item]))
}

/** The route that an agent has by its `path` alone is told with the agent. */
function routesOf({ routes, agents }: Config): Parts {
  return byName(routes.filter(({ name }) => !Object.hasOwn(agents, name)))
}

/** Backends without their servers; the one that `servers` fills is not told apart from them. */
function backendsOf({ backends }: Config): Parts {
  const own = Object.entries(backends).map(([name, { servers: _, ...rest }]) => [name, rest])
  return Object.fromEntries(own.filter(([name]) => name !== defaultBackend))
}

function serversOf({ backends }: Config): Parts {
  const all = Object.entries(backends).flatMap(([backend, { servers }]) =>
    Object.entries(servers).map(([name, server]) => [`${backend}/${name}`, server]),
  )
  return Object.fromEntries(all)
}

/** All else, by its key. */
function settingsOf({ listeners: _1, routes: _2, backends: _3, agents: _4, policies: _5, ...rest }: Config): Parts {
  return rest
}

const defaultBackend = 'default'

function shortName(name: string): string {
  return name.startsWith(`${defaultBackend}/`) ? name.slice(defaultBackend.length + 1) : name
}
