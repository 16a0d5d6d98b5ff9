import type { Caller } from '../../mcp/mcp.ts'

/** What is known of pairs of a caller and an item: two bytes for each, which name one of a few values that they share. */
export interface Memory<Item extends object, Value> {
  get(caller: Caller, item: Item): Value | undefined
  set(caller: Caller, item: Item, value: Value): void
}

export interface MemoryBounds {
  /** Of all pairs together. What was not asked for longest is forgotten first. */
  readonly bytes: number
  /** Different values, at most 65,535; one more, and all is forgotten. */
  readonly values: number
}

/** Items are numbered as they are met; those of one list mostly share blocks of numbers. */
const blockItems = 512
/** Of a block of one caller, with what the engine adds to it. */
export const blockBytes = 2 * blockItems + 512

/** Forgets with the callers that are its keys. */
interface Generation {
  readonly blocks: WeakMap<Caller, Map<number, Uint16Array>>
  bytes: number
}

/** @param keyOf equal for values that say the same */
export function createMemory<Item extends object, Value>(keyOf: (value: Value) => string, bounds: MemoryBounds): Memory<Item, Value> {
  const numbers = new WeakMap<Item, number>()
  let count = 0
  // At most bounds.values. None is named 0: nothing is known.
  let values: (Value | undefined)[] = [undefined]
  let names = new Map<string, number>()
  // What is asked for moves to the young; when those fill half of the bound, the others are forgotten.
  let young = newGeneration()
  let old = newGeneration()
  // Lists ask for one block many times over.
  let last: { readonly caller: Caller; readonly index: number; readonly block: Uint16Array } | undefined

  function place(caller: Caller, index: number, block: Uint16Array): Uint16Array {
    if (young.bytes + blockBytes > bounds.bytes / 2) {
      old = young
      young = newGeneration()
    }
    const blocks = young.blocks.get(caller)
    if (blocks === undefined) young.blocks.set(caller, new Map([[index, block]]))
    else blocks.set(index, block)
    young.bytes += blockBytes
    return block
  }

  function blockOf(caller: Caller, index: number): Uint16Array | undefined {
    if (last?.caller === caller && last.index === index) return last.block
    const before = young.blocks.get(caller)?.get(index)
    const older = before === undefined ? old.blocks.get(caller)?.get(index) : undefined
    const block = before ?? (older === undefined ? undefined : place(caller, index, older))
    if (block !== undefined) last = { caller, index, block }
    return block
  }

  function nameOf(value: Value): number {
    const key = keyOf(value)
    const known = names.get(key)
    if (known !== undefined) return known
    if (names.size >= bounds.values) {
      values = [undefined]
      names = new Map()
      young = newGeneration()
      old = newGeneration()
      last = undefined
    }
    names.set(key, values.length)
    return values.push(value) - 1
  }

  return {
    get(caller, item) {
      const number = numbers.get(item)
      if (number === undefined) return undefined
      const block = blockOf(caller, Math.floor(number / blockItems))
      return block === undefined ? undefined : values[block[number % blockItems] ?? 0]
    },
    set(caller, item, value) {
      let number = numbers.get(item)
      if (number === undefined) {
        number = count++
        numbers.set(item, number)
      }
      const name = nameOf(value)
      const index = Math.floor(number / blockItems)
      const block = blockOf(caller, index) ?? place(caller, index, new Uint16Array(blockItems))
      block[number % blockItems] = name
    },
  }
}

function newGeneration(): Generation {
  return { blocks: new WeakMap(), bytes: 0 }
}
