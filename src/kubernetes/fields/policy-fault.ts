import type { Fault } from '../objects/objects.ts'

/** Something in a policy, or in the `policies` of a backend, that can't be done as it is written. */
export interface PolicyFault extends Fault {
  /** Whether leaving it out would let more through than its author wants: then nothing passes where the policy holds. */
  readonly closes: boolean
}

/** The faults that close before those that do not. */
export function closingFirst(faults: readonly PolicyFault[]): readonly PolicyFault[] {
  return [...faults.filter((fault) => fault.closes), ...faults.filter((fault) => !fault.closes)]
}
