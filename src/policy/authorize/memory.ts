import type { Caller } from '../../mcp/mcp.ts'

/** A cache for pairs of a caller and an item. It takes two bytes for each pair, which number one of a few shared values. */
export interface Memory<Item extends object, Value> {
  get(caller: Caller, item: Item): Value | undefined
  set(caller: Caller, item: Item, value: Value): void
}

export interface MemoryBounds {
  /** Most bytes of all pairs; the least recently used are forgotten first. */
  readonly bytes: number
  /** Most different values, up to 65,535; beyond it everything is forgotten. */
  readonly values: number
}

/** Items in a block. They are numbered when they are first seen, so those of one list mostly share blocks. */
const blockItems = 512
/** Bytes of one caller's block, including the engine's own. */
export const blockBytes = 2 * blockItems + 512

/** One generation of entries; it holds its callers weakly. */
interface Generation {
  readonly blocks: WeakMap<Caller, Map<number, Uint16Array>>
  bytes: number
}

/** @param keyOf gives the same key for values that mean the same */
export function createMemory<Item extends object, Value>(keyOf: (value: Value) => string, bounds: MemoryBounds): Memory<Item, Value> {
  const numbers = new WeakMap<Item, number>()
  let count = 0
  // At most bounds.values. No value has the number 0, which stands for nothing known.
  let values: (Value | undefined)[] = [undefined]
  let names = new Map<string, number>()
  // Entries that are used move to the young generation; when it fills half of the bound, the old one is dropped.
  let young = newGeneration()
  let old = newGeneration()
  // A list asks for the same block many times in a row.
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
