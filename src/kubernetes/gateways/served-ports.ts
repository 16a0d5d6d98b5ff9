import type { GatewayView } from './gateway-view.ts'

/** The ports of the listeners that are served, each once, in the order of the listeners. */
export function servedPorts({ listeners }: GatewayView): readonly number[] {
  return [...new Set(listeners.flatMap(({ fragment, port }) => (fragment === undefined ? [] : [port])))]
}
