import { createHash } from 'node:crypto'

/** The names of the objects that are provisioned for a Gateway, in its namespace. */
export interface ProvisionedNames {
  /** The name of its Deployment, Service, PodDisruptionBudget and HorizontalPodAutoscaler. */
  readonly workload: string
  /** The name of its Secret, ServiceAccount, Role and RoleBinding. */
  readonly config: string
  /** The name of the headless Service by which its replicas find each other. */
  readonly peers: string
}

const peersEnd = '-peers'

/**
 * The names for a Gateway of this name. Each has at most 63 characters, and no two Gateways of a namespace share one, unless somebody copies
 * a digest into a Gateway's name. The workload has the Gateway's own name, if a Service may have it and it does not end with `-peers` as
 * the headless Services do.
 */
export function namesFor(gateway: string): ProvisionedNames {
  return {
    workload: gateway.endsWith(peersEnd) ? digestedName(gateway, gateway) : resourceName(gateway),
    config: resourceName(`${gateway}-mcplex`),
    // A Gateway's name has no space, so no other Gateway's name is digested to the same.
    peers: resourceName(`${gateway}${peersEnd}`, `${gateway} ${peersEnd}`),
  }
}

/** A text as the value of a label, which holds 63 characters: a longer one ends with a digest. */
export function labelValue(text: string): string {
  return text.length > 63 ? resourceName(text) : text
}

/** What a Service may be called (RFC 1035). */
const serviceName = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** The wished name, or one with a digest where a Service may not have that name. */
function resourceName(wished: string, identity = wished): string {
  return serviceName.test(wished) ? wished : digestedName(wished, identity)
}

/**
 * The first 50 characters of the wished name and 12 characters of the identity's SHA-256, so that different identities have different
 * names.
 */
function digestedName(wished: string, identity: string): string {
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 12)
  const start = wished
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .replace(/^[^a-z]/, 'x$&')
  return `${start.slice(0, 50)}-${digest}`
}
