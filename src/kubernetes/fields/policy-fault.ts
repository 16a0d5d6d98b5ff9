import type { Fault } from '../objects/objects.ts'

export interface PolicyFault extends Fault {
  /** Leaving it out would let more through than its author wants. */
  readonly closes: boolean
}

export function closingFirst(faults: readonly PolicyFault[]): readonly PolicyFault[] {
  return [...faults.filter((fault) => fault.closes), ...faults.filter((fault) => !fault.closes)]
}
