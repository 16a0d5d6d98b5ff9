import { EvaluationError } from '@marcbachmann/cel-js'

/** How many steps one evaluation of a rule may take: turns of loops, values looked through, pieces of text. */
export const maxSteps = 100_000
/** Characters that are one step to look through. */
const charactersPerStep = 64
/** Characters times a pattern's size that are one step to match. */
const matchedPerStep = 100
/** Steps that it is to compile a pattern. */
const stepsPerPattern = 1000
/** Comparisons of characters that are one step, where a text is searched for another: at worst each with each. */
const comparisonsPerStep = 16_384

/** Counts what an evaluation costs. An evaluation that went over its budget failed, whatever it says. */
export class Budget {
  #left = maxSteps

  begin(): void {
    this.#left = maxSteps
  }

  get isSpent(): boolean {
    return this.#left < 0
  }

  /** Takes steps. @throws EvaluationError where none are left */
  take(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new EvaluationError({ code: 'too_much_work', message: 'looks through too much' })
  }

  /** Takes what it costs to go through a value once. */
  takeFor(value: unknown): void {
    if (typeof value === 'string') this.take(Math.ceil(value.length / charactersPerStep))
    else if (Array.isArray(value)) this.take(value.length)
    else if (value instanceof Map) this.take(value.size)
  }

  /** Takes what it may cost to find a text in another. */
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

  /** Takes what it costs to go through a value and all that it holds. */
  takeForAll(value: unknown): void {
    this.takeFor(value)
    if (Array.isArray(value)) for (const part of value) this.takeForAll(part)
    else if (value instanceof Map) for (const part of value.values()) this.takeForAll(part)
  }
}
