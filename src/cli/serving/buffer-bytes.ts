import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { type Config, sizeBytes } from '../../config/config.ts'

/** The memory that a process has, in bytes. */
export interface Memory {
  /** Memory of the machine in bytes, or of the container (its cgroup) where that is less. */
  readonly process: number
  /** Bound of JavaScript's heap in bytes: Node's own choice, or `--max-old-space-size`. */
  readonly heap: number
}

/** `limits.buffered` in bytes. Not written: a quarter of the memory, half of the heap where that is less, and at least four answers. */
export function bufferBytes({ limits }: Config, memory: Memory = memoryOfProcess()): number {
  if (limits.buffered !== undefined) return sizeBytes(limits.buffered)
  return Math.max(Math.floor(Math.min(memory.process / 4, memory.heap / 2)), 4 * sizeBytes(limits.answer))
}

function memoryOfProcess(): Memory {
  const ofContainer = process.constrainedMemory()
  const ofMachine = totalmem()
  return { process: ofContainer > 0 ? Math.min(ofContainer, ofMachine) : ofMachine, heap: getHeapStatistics().heap_size_limit }
}
