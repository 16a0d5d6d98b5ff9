/**
 * The command by which an administrator lets the controller make what Gateways of a namespace need, and read the Secrets and ConfigMaps that
 * objects there name.
 * @param user the controller, as the API server calls it; absent: as `deploy/rbac.yaml` has it
 */
export function commandToProvision(namespace: string, user = 'system:serviceaccount:mcplex-system:mcplex'): string {
  const [, accountNamespace, account] = /^system:serviceaccount:([^:]+):(.+)$/.exec(user) ?? []
  const subject = accountNamespace === undefined ? `--user ${user}` : `--serviceaccount ${accountNamespace}:${account}`
  return `kubectl create rolebinding mcplex-provisioner -n ${namespace} --clusterrole mcplex-provisioner ${subject}`
}
