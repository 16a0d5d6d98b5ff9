import { type DecidingRule, unasked, type Verdict } from '../seam.ts'
import type { Level, PlacedRule, Reading } from './readings.ts'

/**
 * The verdict of one level: no deny holds, every require holds and, if there are any allows, one of them holds. A rule that depends on
 * arguments passes for now.
 */
export function judgeLevel(level: Level, read: (rule: PlacedRule) => Reading): Verdict {
  let mayBeRefused = false
  for (const rule of level.deny) {
    const reading = read(rule)
    if (isAgainst(reading)) return refused(rule, reading, 'denied')
    mayBeRefused ||= reading === 'depends'
  }
  for (const rule of level.require) {
    const reading = read(rule)
    if (isAgainst(reading)) return refused(rule, reading, 'not-required')
    mayBeRefused ||= reading === 'depends'
  }
  if (level.allow.length === 0) return mayBeRefused ? { ...unasked, mayBeRefused } : unasked
  return judgeAllows(level, read, mayBeRefused)
}

function judgeAllows(level: Level, read: (rule: PlacedRule) => Reading, mayBeRefused: boolean): Verdict {
  let depending: PlacedRule | undefined
  let failed: PlacedRule | undefined
  let failures = 0
  for (const rule of level.allow) {
    const reading = read(rule)
    if (reading === 'for') return { isAllowed: true, mayBeRefused, by: { place: rule.place, text: rule.rule.text, because: 'allowed' } }
    if (reading === 'depends') depending ??= rule
    else if (reading !== 'against') {
      failed ??= rule
      failures++
    }
  }
  if (depending !== undefined) {
    return { isAllowed: true, mayBeRefused: true, by: { place: depending.place, text: depending.rule.text, because: 'allowed' } }
  }
  // An allow that doesn't hold explains more than others that failed.
  if (failed !== undefined && failures === level.allow.length) return refused(failed, 'against', 'error')
  return { isAllowed: false, mayBeRefused: false, by: { place: `${level.place}.allow`, text: undefined, because: 'not-allowed' } }
}

function isAgainst(reading: Reading): boolean {
  return reading !== 'for' && reading !== 'depends'
}

function refused(rule: PlacedRule, reading: Reading, because: DecidingRule['because']): Verdict {
  const why = typeof reading === 'string' ? because : 'error'
  return { isAllowed: false, mayBeRefused: false, by: { place: rule.place, text: rule.rule.text, because: why } }
}

/** The verdict of all levels: the first that refuses, else the last that allows by a rule. */
export function judgeLevels(levels: readonly Level[], judge: (level: Level) => Verdict): Verdict {
  let by: DecidingRule | undefined
  let mayBeRefused = false
  for (const level of levels) {
    const verdict = judge(level)
    if (!verdict.isAllowed) return verdict
    mayBeRefused ||= verdict.mayBeRefused
    by = verdict.by ?? by
  }
  return by === undefined && !mayBeRefused ? unasked : { isAllowed: true, mayBeRefused, by }
}
