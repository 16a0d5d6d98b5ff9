import { compileRule, type Effect, type Failure, type ItemFacts, type ItemKind, type ItemRule, type Truth } from '../../cel/cel.ts'
import type { AuthorizeLevel } from './settings.ts'

/**
 * What a rule means for a caller, before its arguments are known: `for` or `against` whatever they are, `depends` on them, or a failure,
 * which counts as against. An allow or require that holds is `for`, a deny that holds is `against`.
 */
export type Reading = 'for' | 'against' | 'depends' | Failure

/** A compiled rule with its place in the document. */
export interface PlacedRule {
  readonly effect: Effect
  /** Its path in the document. */
  readonly place: string
  readonly rule: ItemRule
  /** Its number among all rules of a judge. */
  readonly index: number
}

export interface Level {
  readonly place: string
  readonly backend: string | undefined
  readonly server: string | undefined
  readonly deny: readonly PlacedRule[]
  readonly require: readonly PlacedRule[]
  readonly allow: readonly PlacedRule[]
}

/** Compiles the rules of all levels; a level without rules is left out. */
export function placeRules(levels: readonly AuthorizeLevel[]): readonly Level[] {
  let count = 0
  const placed = (level: AuthorizeLevel, effect: Effect): readonly PlacedRule[] =>
    level[effect].map((text, at) => ({ effect, place: `${level.place}.${effect}[${at}]`, rule: compileRule(text, effect), index: count++ }))
  return levels
    .filter((level) => level.allow.length + level.deny.length + level.require.length > 0)
    .map((level) => ({
      place: level.place,
      backend: level.backend,
      server: level.server,
      deny: placed(level, 'deny'),
      require: placed(level, 'require'),
      allow: placed(level, 'allow'),
    }))
}

/** Reads a rule whose arguments are not known. */
export function readRule(placed: PlacedRule, kind: ItemKind, facts: ItemFacts): Reading {
  const rule = placed.rule.about(kind)
  const best = toReading(placed.effect, rule.atBest(facts))
  if (best !== 'for' || !rule.needsArguments) return best
  return toReading(placed.effect, rule.atWorst(facts)) === 'for' ? 'for' : 'depends'
}

/** Reads a rule whose arguments are known. */
export function readWithArguments(placed: PlacedRule, kind: ItemKind, facts: ItemFacts): Reading {
  return toReading(placed.effect, placed.rule.about(kind).withArguments(facts))
}

/** Reads a rule for a whole server, whatever its items are. */
export function readForServer(placed: PlacedRule, kind: ItemKind, facts: ItemFacts): Reading {
  return toReading(placed.effect, placed.rule.about(kind).ofServer(facts))
}

function toReading(effect: Effect, truth: Truth): Reading {
  if (typeof truth !== 'boolean') return truth
  return truth === (effect !== 'deny') ? 'for' : 'against'
}
