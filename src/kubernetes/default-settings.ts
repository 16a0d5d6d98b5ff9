import type { Settings } from './model.ts'

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
