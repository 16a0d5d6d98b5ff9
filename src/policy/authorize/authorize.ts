import { type Item, refuse } from '../../mcp/mcp.ts'
import { type Asking, type LevelReading, type Policy, type PolicySight, type RuleReading, unasked, type Verdict } from '../seam.ts'
import { factsAbout, ownMethod } from './facts-about.ts'
import { createMemory } from './memory.ts'
import { noArguments, readArguments } from './read-arguments.ts'
import { type Level, type PlacedRule, placeRules, type Reading, readForServer, readRule, readWithArguments } from './readings.ts'
import type { AuthorizeLevel } from './settings.ts'
import { judgeLevel, judgeLevels } from './verdict.ts'

/** Decides what callers see in lists and what they may call: what `sees` denies can't be called. */
export interface Judge extends PolicySight {
  /**
   * Whether an item that the caller sees may be called with these arguments, by this method.
   * @param args JSON text of a call's arguments; undefined where it has none
   */
  mayCall(asking: Asking, item: Item, method: string, args: string | undefined): Verdict
  /**
   * The result of every rule of every level, in the order in which they are asked, although an earlier one may decide.
   * @param args JSON text; undefined where the arguments are not known
   */
  explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[]
}

/** The rules of a judge as a policy; several policies may share the decisions of one judge. */
export function createAuthorizePolicy(judge: Judge): Policy {
  return {
    name: 'authorize',
    sight: judge,
    call(asking, item, method, args) {
      const { isAllowed, by } = judge.mayCall(asking, item, method, args)
      if (isAllowed) return { kind: 'pass', by }
      const use = method === 'resources/subscribe' ? 'subscription' : item.kind === 'tools' ? 'call with these arguments' : 'call'
      return { ...refuse('refused-by-rule', `a rule refuses this ${use}`), by }
    },
    explain: judge.explain,
  }
}

/** What is remembered for a caller and an item: the verdict where it depends on nothing else, and readings that are needed again. */
interface Remembered {
  readonly readings: Readings
  readonly verdict: Verdict | undefined
}

/** By a rule's index. */
type Readings = readonly (Reading | undefined)[]

const noReadings: Readings = []
/** Bound of one judge's memory: enough for two million pairs of a caller and an item where callers ask for whole lists. */
const memoryBytes = 16 * 1024 * 1024
/** Bound of the readings in all remembered values. */
const maxReadings = 1_000_000
const maxValues = 65_535

/**
 * Compiles rules into a judge.
 * @param settings in the order in which they are asked; at least one
 */
export function createJudge(settings: readonly AuthorizeLevel[]): Judge {
  const levels = placeRules(settings)
  const restricting = levels.map((level): Level => ({ ...level, allow: [] }))
  const rules = levels.flatMap((level) => [...level.deny, ...level.require, ...level.allow])
  const isByCaller = !rules.some(({ rule }) => rule.needsRequest)
  const needsMethod = rules.some(({ rule }) => rule.needsMethod)
  const values = Math.min(maxValues, Math.ceil(maxReadings / Math.max(1, rules.length)))
  const memory = createMemory<Item, Remembered>(keyOf, { bytes: memoryBytes, values })
  const places = new Map<string, Item>() // as many as servers and kinds

  function sees(asking: Asking, item: Item): Verdict {
    const known = memory.get(asking.caller, item)
    if (known?.verdict !== undefined) return known.verdict
    const { read, readings } = reader(asking, item, known?.readings ?? noReadings)
    const verdict = judgeSpellings(asking, item, ownMethod[item.kind], judgeItem(item, read))
    if (!isByCaller) {
      if (readings.isChanged()) memory.set(asking.caller, item, { readings: readings.all(), verdict: undefined })
      return verdict
    }
    // Readings are needed again only where rules depend on arguments.
    memory.set(asking.caller, item, { readings: verdict.mayBeRefused ? readings.all() : noReadings, verdict })
    return verdict
  }

  function judgeItem(item: Item, read: (rule: PlacedRule) => Reading): Verdict {
    return judgeLevels(levels, (level) => (isAbout(level, item.backend, item.server) ? judgeLevel(level, read) : unasked))
  }

  /** Also asks the rules about other spellings of an item's URI; `allow` rules are asked only about the spelling that was sent. */
  function judgeSpellings(asking: Asking, item: Item, method: string, verdict: Verdict): Verdict {
    const { kind, backend, server, annotations, spellings = [] } = item
    if (!verdict.isAllowed) return verdict
    for (const name of spellings) {
      const facts = once(() => factsAbout(asking, { kind, backend, server, name, annotations }, method, noArguments))
      const read = (placed: PlacedRule) => readRule(placed, kind, facts())
      const other = judgeLevels(restricting, (level) => (isAbout(level, backend, server) ? judgeLevel(level, read) : unasked))
      if (!other.isAllowed) return other
    }
    return verdict
  }

  /** Reads rules without arguments; a rule that depends on caller and item alone is read once. */
  function reader(asking: Asking, item: Item, known: Readings) {
    const facts = once(() => factsAbout(asking, item, ownMethod[item.kind], noArguments))
    let all: (Reading | undefined)[] | undefined
    const read = (placed: PlacedRule): Reading => {
      if (placed.rule.needsRequest) return readRule(placed, item.kind, facts())
      const before = (all ?? known)[placed.index]
      if (before !== undefined) return before
      all ??= [...known]
      const reading = readRule(placed, item.kind, facts())
      all[placed.index] = reading
      return reading
    }
    return { read, readings: { isChanged: () => all !== undefined, all: (): Readings => all ?? known } }
  }

  /** Reads with arguments the rules that depend on them. */
  function argumentReader(asking: Asking, item: Item, method: string, args: string | undefined, read: (rule: PlacedRule) => Reading) {
    const facts = once(() => {
      const given = readArguments(args)
      return given.kind === 'failure' ? given : factsAbout(asking, item, method, given.value)
    })
    return (placed: PlacedRule): Reading => {
      const reading = read(placed)
      if (reading !== 'depends') return reading
      const known = facts()
      return 'kind' in known ? known : readWithArguments(placed, item.kind, known)
    }
  }

  function mayCall(asking: Asking, item: Item, method: string, args: string | undefined): Verdict {
    const seen = sees(asking, item)
    const isOwn = method === ownMethod[item.kind] || !needsMethod
    if (!seen.isAllowed || (isOwn && !seen.mayBeRefused)) return seen
    const facts = once(() => factsAbout(asking, item, method, noArguments))
    const read = isOwn
      ? reader(asking, item, memory.get(asking.caller, item)?.readings ?? noReadings).read
      : (placed: PlacedRule) => readRule(placed, item.kind, facts())
    return judgeSpellings(asking, item, method, judgeItem(item, argumentReader(asking, item, method, args, read)))
  }

  function reaches(asking: Asking, backend: string, server: string, kind: Item['kind']): boolean {
    const key = `${kind} ${backend}\n${server}`
    let place = places.get(key)
    if (place === undefined) {
      place = { kind, backend, server, name: '', annotations: noArguments }
      places.set(key, place)
    }
    const item = place
    const known = memory.get(asking.caller, item)?.verdict
    if (known !== undefined) return known.isAllowed
    const facts = once(() => factsAbout(asking, item, ownMethod[kind], noArguments))
    const read = (placed: PlacedRule) => readForServer(placed, kind, facts())
    const verdict = judgeItem(item, read)
    if (isByCaller) memory.set(asking.caller, item, { readings: noReadings, verdict })
    return verdict.isAllowed
  }

  function explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[] {
    const plain = reader(asking, item, noReadings).read
    const read = args === undefined ? plain : argumentReader(asking, item, ownMethod[item.kind], args, plain)
    return levels.map((level): LevelReading => {
      if (!isAbout(level, item.backend, item.server)) return { place: level.place, isAsked: false, rules: [], verdict: unasked }
      const readings = new Map([...level.deny, ...level.require, ...level.allow].map((placed) => [placed, read(placed)]))
      return {
        place: level.place,
        isAsked: true,
        rules: [...readings].map(([placed, reading]) => inWords(placed, reading)),
        verdict: judgeLevel(level, (placed) => readings.get(placed) ?? 'against'),
      }
    })
  }

  return { sees, reaches, mayCall, explain, isByCaller }
}

/** A key for equal values. It leaves out why rules failed, which only explanations need. */
function keyOf({ readings, verdict }: Remembered): string {
  const by = verdict?.by
  const said = verdict === undefined ? '' : `${verdict.isAllowed} ${verdict.mayBeRefused} ${by?.because} ${by?.place} ${by?.text}`
  let key = `${said} `
  for (let i = 0; i < readings.length; i++) key += codeOf(readings[i])
  return key
}

function codeOf(reading: Reading | undefined): string {
  return typeof reading === 'string' ? reading.charAt(0) : reading === undefined ? '-' : '!'
}

function isAbout(level: Level, backend: string, server: string): boolean {
  return (level.backend === undefined || level.backend === backend) && (level.server === undefined || level.server === server)
}

function inWords(placed: PlacedRule, reading: Reading): RuleReading {
  const { place, effect, rule } = placed
  if (reading === 'depends') return { place, text: rule.text, says: 'needs arguments', why: undefined }
  if (typeof reading !== 'string') return { place, text: rule.text, says: 'error', why: reading.why }
  return { place, text: rule.text, says: (reading === 'for') === (effect !== 'deny') ? 'holds' : 'does not hold', why: undefined }
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
