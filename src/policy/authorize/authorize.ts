import { compileAccess, factsOf } from '../../cel/cel.ts'
import type { Caller, Head } from '../../mcp/mcp.ts'
import { factsAbout, noArguments, ownMethod, readArguments } from './asked.ts'
import { type Level, type PlacedRule, placeRules, type Reading, readForServer, readRule, readWithArguments } from './readings.ts'
import type { AuthorizeLevel } from './settings.ts'
import { judgeLevel, judgeLevels, unasked } from './verdict.ts'

/** Who asks, and by which request. */
export interface Asking {
  readonly caller: Caller
  readonly head: Head
}

/** What rules are asked about. One entry of a server's list is one object as long as the list is, so verdicts may be remembered by it. */
export interface Item {
  readonly kind: 'tools' | 'prompts' | 'resources'
  readonly backend: string
  readonly server: string
  /** The server's own name of a tool or prompt; its own URI or URI template of a resource. */
  readonly name: string
  /** Of a tool: as its server says, JSON as `readJson` gives it. */
  readonly annotations: ReadonlyMap<string, unknown>
}

export interface Verdict {
  readonly isAllowed: boolean
  /** Allowed as far as can be said without a call's arguments, which some rule wants to see. */
  readonly mayBeRefused: boolean
  /** What decided; undefined where nothing had to: no rule spoke of it. */
  readonly by: DecidingRule | undefined
}

export interface DecidingRule {
  /** The rule's path in the document, such as `policies.authorize.deny[0]`; of a level without one that holds, its `allow`. */
  readonly place: string
  /** The rule; undefined where it was the lack of one that holds. */
  readonly text: string | undefined
  readonly because: 'allowed' | 'denied' | 'not-allowed' | 'not-required' | 'error'
}

/** What one rule says in an explanation. */
export interface RuleReading {
  readonly place: string
  readonly text: string
  readonly says: 'holds' | 'does not hold' | 'error' | 'needs arguments'
  /** Of an error: why. */
  readonly why: string | undefined
}

export interface LevelReading {
  readonly place: string
  /** False: this level is about other servers. */
  readonly isAsked: boolean
  readonly rules: readonly RuleReading[]
  readonly verdict: Verdict
}

/** The decision about lists and calls: what `sees` hides can't be called. */
export interface Judge {
  /** Whether a tool, prompt or resource is there for a caller. */
  sees(asking: Asking, item: Item): Verdict
  /** Whether anything of this kind on a server could be there for a caller. */
  reaches(asking: Asking, backend: string, server: string, kind: Item['kind']): boolean
  /**
   * What is seen, called with these arguments by this method.
   * @param args JSON text of a call's arguments; undefined where it has none
   */
  mayCall(asking: Asking, item: Item, method: string, args: string | undefined): Verdict
  /** Every level in the order asked, with all its rules, although one may decide. @param args undefined: not known */
  explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[]
  /** Whether what it says of one caller is the same for all of that caller's requests. */
  readonly isByCaller: boolean
}

/** What is remembered of a caller and an item: readings of rules that depend on nothing else, and the verdict where all do. */
interface Remembered {
  readonly readings: (Reading | undefined)[]
  verdict: Verdict | undefined
}

/** @param settings in the order asked; at least one */
export function createJudge(settings: readonly AuthorizeLevel[]): Judge {
  const levels = placeRules(settings)
  const rules = levels.flatMap((level) => [...level.deny, ...level.require, ...level.allow])
  const isByCaller = !rules.some(({ rule }) => rule.needsRequest)
  const needsMethod = rules.some(({ rule }) => rule.needsMethod)
  // Both forget with the objects that are their keys.
  const memory = new WeakMap<Caller, WeakMap<Item, Remembered>>()
  const reached = new WeakMap<Caller, Map<string, boolean>>()

  function remembered(caller: Caller, item: Item): Remembered {
    const ofCaller = memory.get(caller) ?? new WeakMap<Item, Remembered>()
    const known = ofCaller.get(item)
    if (known !== undefined) return known
    const fresh: Remembered = { readings: [], verdict: undefined }
    memory.set(caller, ofCaller.set(item, fresh))
    return fresh
  }

  function sees(asking: Asking, item: Item): Verdict {
    const known = remembered(asking.caller, item)
    if (known.verdict !== undefined) return known.verdict
    const verdict = judgeItem(item, reader(asking, item, known.readings))
    if (isByCaller) known.verdict = verdict
    return verdict
  }

  function judgeItem(item: Item, read: (rule: PlacedRule) => Reading): Verdict {
    return judgeLevels(levels, (level) => (isAbout(level, item.backend, item.server) ? judgeLevel(level, read) : unasked))
  }

  /** Reads rules without arguments, and those that depend on caller and item alone once. */
  function reader(asking: Asking, item: Item, readings: (Reading | undefined)[]): (rule: PlacedRule) => Reading {
    const facts = once(() => factsAbout(asking, item, ownMethod[item.kind], noArguments))
    return (placed) => {
      if (placed.rule.needsRequest) return readRule(placed, item.kind, facts())
      const reading = readings[placed.index] ?? readRule(placed, item.kind, facts())
      readings[placed.index] = reading
      return reading
    }
  }

  /** Reads with arguments what depends on them. */
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
      ? reader(asking, item, remembered(asking.caller, item).readings)
      : (placed: PlacedRule) => readRule(placed, item.kind, facts())
    return judgeItem(item, argumentReader(asking, item, method, args, read))
  }

  function reaches(asking: Asking, backend: string, server: string, kind: Item['kind']): boolean {
    const known = reached.get(asking.caller) ?? new Map<string, boolean>() // as many as servers and kinds
    const key = `${kind} ${backend}\n${server}`
    const before = known.get(key)
    if (before !== undefined) return before
    const facts = once(() =>
      factsAbout(asking, { kind, backend, server, name: '', annotations: noArguments }, ownMethod[kind], noArguments),
    )
    const read = (placed: PlacedRule) => readForServer(placed, kind, facts())
    const reaches = levels.every((level) => !isAbout(level, backend, server) || judgeLevel(level, read).isAllowed)
    if (isByCaller) reached.set(asking.caller, known.set(key, reaches))
    return reaches
  }

  function explain(asking: Asking, item: Item, args: string | undefined): readonly LevelReading[] {
    const plain = reader(asking, item, [])
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

/** Who may use an agent at all. */
export interface Access {
  admits(asking: Asking): Verdict
}

/** @param place the rule's path in the document */
export function createAccess(text: string, place: string): Access {
  const rule = compileAccess(text)
  const known = new WeakMap<Caller, Verdict>() // forgets with the caller

  function judge({ caller, head }: Asking): Verdict {
    const truth = rule.holds(factsOf(caller, head))
    const verdict = (because: DecidingRule['because']): Verdict => ({
      isAllowed: because === 'allowed',
      mayBeRefused: false,
      by: { place, text, because },
    })
    if (typeof truth !== 'boolean') return verdict('error')
    return verdict(truth ? 'allowed' : 'not-allowed')
  }

  return {
    admits(asking) {
      if (rule.needsRequest) return judge(asking)
      const before = known.get(asking.caller)
      if (before !== undefined) return before
      const verdict = judge(asking)
      known.set(asking.caller, verdict)
      return verdict
    },
  }
}
