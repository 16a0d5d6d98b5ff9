import { EvaluationError } from '@marcbachmann/cel-js'

/** How many steps one evaluation of a rule may take. Iterations of loops, values that are looked through and pieces of text are steps. */
export const maxSteps = 100_000
/** How many characters are one step to look through. */
const charactersPerStep = 64
/** Matching a pattern is one step for so many characters, times the pattern's size. */
const matchedPerStep = 100
/** How many steps it is to compile a pattern. */
const stepsPerPattern = 1000
/** Searching a text for another is one step for so many comparisons of characters. The worst case counts: each character with each. */
const comparisonsPerStep = 16_384

/** Counts the cost of an evaluation. One that has gone over its budget has failed, whatever its result. */
export class Budget {
  #left = maxSteps

  begin(): void {
    this.#left = maxSteps
  }

  get isSpent(): boolean {
    return this.#left < 0
  }

  /**
   * Spends steps.
   * @throws EvaluationError where none are left
   */
  take(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new EvaluationError({ code: 'too_much_work', message: 'looks through too much' })
  }

  /** Spends what it costs to go through a value once. */
  takeFor(value: unknown): void {
    if (typeof value === 'string') this.take(Math.ceil(value.length / charactersPerStep))
    else if (Array.isArray(value)) this.take(value.length)
    else if (value instanceof Map) this.take(value.size)
  }

  /** Spends what it may cost to find a text in another. */
  takeForSearch(text: string, wanted: string): void {
    this.takeFor(text)
    this.take(Math.floor((text.length * wanted.length) / comparisonsPerStep))
  }

  takeForMatch(text: string, patternSize: number): void {
    this.take(1 + Math.ceil((text.length * patternSize) / matchedPerStep))
  }

  takeForPattern(): void {
    this.take(stepsPerPattern)
  }

  /** Spends what it costs to go through a value and all that it holds. */
  takeForAll(value: unknown): void {
    this.takeFor(value)
    if (Array.isArray(value)) for (const part of value) this.takeForAll(part)
    else if (value instanceof Map) for (const part of value.values()) this.takeForAll(part)
  }
}
