/**
 * The command by which an administrator allows the controller to create the objects that Gateways of a namespace need, and to read the
 * Secrets and ConfigMaps that objects there name.
 * @param user the controller's user name; by default that of `deploy/rbac.yaml`
 */
export function commandToProvision(namespace: string, user = 'system:serviceaccount:mcplex-system:mcplex'): string {
  const [, accountNamespace, account] = /^system:serviceaccount:([^:]+):(.+)$/.exec(user) ?? []
  const subject = accountNamespace === undefined ? `--user ${user}` : `--serviceaccount ${accountNamespace}:${account}`
  return `kubectl create rolebinding mcplex-provisioner -n ${namespace} --clusterrole mcplex-provisioner ${subject}`
}
