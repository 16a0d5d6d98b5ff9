import type { NodeCluster } from '../setup/node-cluster.ts'

/** What the steps share, in the order in which they run. */
export interface Scene {
  readonly cluster: NodeCluster
}

/** The namespace of the post's Gateway. */
export const home = 'kgateway-system'
