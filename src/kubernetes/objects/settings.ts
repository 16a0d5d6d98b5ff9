/** What the installation decides, not the cluster's objects. */
export interface Settings {
  /** Of the classes that are ours, and in the status entries that we own. */
  readonly controllerName: string
  /** GatewayClasses that are made where they are absent. */
  readonly classes: readonly string[]
  /** Of mcplex; goes into each Config and onto what is provisioned. */
  readonly version: string
  /** Of the pods that serve. */
  readonly image: string
  readonly imagePullSecrets: readonly string[]
  /** Such as `cluster.local`. */
  readonly clusterDomain: string
}

/** What holds where an installation says nothing else, for this version of mcplex. */
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
