import { createHash } from 'node:crypto'

/** Names of what is made for a Gateway, in its namespace. */
export interface ProvisionedNames {
  /** Of what runs and what clients reach: Deployment, Service, PodDisruptionBudget, HorizontalPodAutoscaler. */
  readonly workload: string
  /** Of what it reads and by which right: Secret, ServiceAccount, Role, RoleBinding. */
  readonly config: string
  /** Of the headless Service by which replicas find each other. */
  readonly peers: string
}

const peersEnd = '-peers'

/**
 * Each at most 63 characters, and like no other Gateway's of the namespace but where its author copies a digest. A workload's is the
 * Gateway's own as far as a Service may be called so, but never ends as another Gateway's headless Service may.
 */
export function namesFor(gateway: string): ProvisionedNames {
  return {
    workload: gateway.endsWith(peersEnd) ? digestedName(gateway, gateway) : resourceName(gateway),
    config: resourceName(`${gateway}-mcplex`),
    // No Gateway is called what is digested here.
    peers: resourceName(`${gateway}${peersEnd}`, `${gateway} ${peersEnd}`),
  }
}

/** A label's value, which has room for no more than 63 characters. */
export function labelValue(text: string): string {
  return text.length > 63 ? resourceName(text) : text
}

/** What a Service may be called (RFC 1035). */
const serviceName = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/

/** The wished name, digested where it is too long for a Service or holds dots. */
function resourceName(wished: string, identity = wished): string {
  return serviceName.test(wished) ? wished : digestedName(wished, identity)
}

/** The first 50 characters of the wished name and 12 of its identity's SHA-256, so that different ones stay different. */
function digestedName(wished: string, identity: string): string {
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 12)
  const start = wished
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .replace(/^[^a-z]/, 'x$&')
  return `${start.slice(0, 50)}-${digest}`
}
