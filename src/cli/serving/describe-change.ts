import type { Config } from '../../config/config.ts'

/** The parts of a configuration of one kind, by name. */
type Parts = Readonly<Record<string, unknown>>

/** How many names are listed for each kind of change; the others are counted. */
const maxNames = 8

/**
 * Describes on one line what a new document changes, such as `servers: +new, -old (34 tools), ~moved; agents: ~sre`. It only holds names,
 * so that no secret is in it.
 * @param toolsOf how many tools a removed server had, by `backend/name`
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

/** Whether two parts are written in the same way. Keys in another order may count as a change. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function byName(items: readonly { readonly name: string }[]): Parts {
  return Object.fromEntries(items.map((item) => [item.name, item]))
}

/** Routes by name, without those that agents have by their `path` alone, which are part of the agents. */
function routesOf({ routes, agents }: Config): Parts {
  return byName(routes.filter(({ name }) => !Object.hasOwn(agents, name)))
}

/** Backends by name without their servers, and without the one that `servers` defines. */
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

/** All other settings, by their key. */
function settingsOf({ listeners: _1, routes: _2, backends: _3, agents: _4, policies: _5, ...rest }: Config): Parts {
  return rest
}

const defaultBackend = 'default'

function shortName(name: string): string {
  return name.startsWith(`${defaultBackend}/`) ? name.slice(defaultBackend.length + 1) : name
}
