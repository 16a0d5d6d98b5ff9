import { type Authenticate, authenticationOn, type Config, type Placed } from '../../config/config.ts'

/** Who may call through a Gateway. */
export interface Callers {
  /** Names of the listeners through which nobody comes without credentials. */
  readonly guarded: ReadonlySet<string>
  /** A sentence for the status, without its full stop. */
  readonly text: string
}

const closedToAll = 'Nothing passes: all its requests are refused'
const openToAll = 'No authentication: whoever reaches it may use it'

interface CallersWay {
  readonly route: string
  readonly asked: Authenticate | undefined
}

/**
 * Determines who may call, from the Config of a Gateway's document.
 * @param config undefined where there is no valid one
 */
export function callersOf(config: Config | undefined): Callers {
  if (config === undefined) return { guarded: new Set(), text: 'Who may call stays as it was' }
  if (isAllRefused(config)) return { guarded: new Set(), text: closedToAll }
  if (!isAnyAsked(config)) return { guarded: new Set(), text: openToAll }
  const all = config.listeners.map((listener) => {
    const ways = config.routes
      .filter(({ listeners }) => listeners === undefined || listeners.includes(listener.name))
      .flatMap((route) =>
        // A rule that refuses its requests lets nobody in.
        route.rules
          .filter((rule) => rule.backends.some((to) => to.refuse === undefined))
          .map((rule): CallersWay => ({ route: route.name, asked: settingsOf(authenticationOn(config, { listener, route, rule })) })),
      )
    const own = settingsOf(authenticationOn(config, { listener }))
    const isGuarded = ways.length === 0 ? own?.mode === 'strict' : ways.every(({ asked }) => asked?.mode === 'strict')
    return { name: listener.name, ways, isGuarded, own: { route: '', asked: own } }
  })
  const guarded = new Set(all.flatMap(({ name, isGuarded }) => (isGuarded ? [name] : [])))
  const ways = all.flatMap((one) => one.ways)
  return { guarded, text: textOf(ways.length === 0 ? all.map(({ own }) => own) : ways) }
}

/** Whether all rules refuse their requests, and there are some. */
function isAllRefused({ routes }: Config): boolean {
  const targets = routes.flatMap(({ rules }) => rules).flatMap(({ backends }) => backends)
  return targets.length > 0 && targets.every(({ refuse }) => refuse !== undefined)
}

function settingsOf(placed: Placed<Authenticate> | undefined): Authenticate | undefined {
  return placed?.settings
}

function isAnyAsked({ policies, listeners, routes, backends, agents }: Config): boolean {
  const rules = routes.flatMap((route) => route.rules)
  const places = [{ policies }, ...listeners, ...routes, ...rules, ...Object.values(backends), ...Object.values(agents)]
  return places.some((place) => place.policies?.authenticate !== undefined)
}

function textOf(ways: readonly CallersWay[]): string {
  const free = ways.filter(({ asked }) => asked === undefined)
  const optional = ways.filter(({ asked }) => asked?.mode === 'optional')
  const strict = ways.filter(({ asked }) => asked?.mode === 'strict')
  if (strict.length === ways.length) return `Callers authenticate by ${proofsOf(strict)}`
  if (optional.length === ways.length) return `Callers may stay anonymous: authentication by ${proofsOf(optional)} is optional`
  if (free.length === ways.length) return openToAll
  const parts = [
    ...(free.length === 0 ? [] : [`no authentication for ${routesOf(free)}: whoever reaches it may use it`]),
    ...(optional.length === 0 ? [] : [`callers of ${routesOf(optional)} may stay anonymous`]),
    ...(strict.length === 0 ? [] : [`callers of ${routesOf(strict)} authenticate by ${proofsOf(strict)}`]),
  ]
  return parts.join(', ').replace(/^./, (first) => first.toUpperCase())
}

function proofsOf(ways: readonly CallersWay[]): string {
  const isAsked = (by: 'jwt' | 'apiKeys'): boolean => ways.some(({ asked }) => (asked?.[by].length ?? 0) > 0)
  return [...(isAsked('jwt') ? ['JWT'] : []), ...(isAsked('apiKeys') ? ['API key'] : [])].join(' or ')
}

/** The most names of routes in the sentence. */
const maxNames = 10

function routesOf(ways: readonly CallersWay[]): string {
  const names = [...new Set(ways.map(({ route }) => (route === '' ? 'some listeners' : route)))]
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : ''
  return `${names.slice(0, maxNames).join(', ')}${more}`
}
