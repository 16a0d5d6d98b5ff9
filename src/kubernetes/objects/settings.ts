/** What the installation sets, as opposed to the objects of the cluster. */
export interface Settings {
  /** The `spec.controllerName` of our GatewayClasses. It also marks our entries in statuses. */
  readonly controllerName: string
  /** Names of GatewayClasses that are created where the cluster has none of that name. */
  readonly classes: readonly string[]
  /** The version of mcplex, written into each document and onto each provisioned object. */
  readonly version: string
  /** The image of the pods that serve. */
  readonly image: string
  readonly imagePullSecrets: readonly string[]
  /** The DNS domain of the cluster, such as `cluster.local`. */
  readonly clusterDomain: string
}

/** The settings of an installation that sets nothing itself. */
export function defaultSettings(version: string): Settings {
  return {
    controllerName: 'mcplex.dev/controller',
    classes: ['mcplex', 'agentgateway'],
    version,
    image: `mcplex/mcplex:${version}`,
    imagePullSecrets: [],
    clusterDomain: 'cluster.local',
  }
}
