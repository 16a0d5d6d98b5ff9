import { joined } from './conditions.ts'
import type { KubeObject, Observations, ProxyReport, Settings } from './model.ts'
import { labelValue } from './provisioned-names.ts'
import { listAt, numberAt, textAt } from './raw.ts'

/** What a Gateway's proxies make of its newest document. */
export interface Serving {
  /** Of that document; empty where there is none. */
  readonly digest: string
  /** Of those that answer; undefined: none was asked. */
  readonly reports: readonly ProxyReport[] | undefined
  /** Those that serve the document. */
  readonly serving: number
  /** It is so new that what was said of the one before counts on. */
  readonly isSettling: boolean
  /** Of the mcplex that wrote the document. */
  readonly version: string
}

/** @param key of the Gateway */
export function servingOf(key: string, digest: string, observed: Observations, { version }: Pick<Settings, 'version'>): Serving {
  const reports = observed.proxies === undefined ? undefined : (observed.proxies.get(key) ?? [])
  const serving = reports?.filter((report) => digest !== '' && report.digest === digest).length ?? 0
  return { digest, reports, serving, isSettling: isSettling(key, digest, observed), version }
}

export function isSettling(key: string, digest: string, { settling, digests }: Observations): boolean {
  return settling?.has(key) === true || (digests !== undefined && digests.get(key) !== digest)
}

/** Whether what is said of the document before is to be said on, so that statuses don't turn with each change: not once all serve this one. */
export function isKept({ isSettling, serving, reports = [] }: Serving): boolean {
  return isSettling && (serving === 0 || serving < reports.length)
}

/**
 * The message of a condition Programmed that is True in what holds conditions, and of the object as it is.
 * @param holder a status, or a part of one
 */
export function programmedBefore({ metadata }: KubeObject, holder: unknown): string | undefined {
  const known = listAt(holder, 'conditions').find((one) => textAt(one, 'type') === 'Programmed')
  const isOfNow = numberAt(known, 'observedGeneration') === metadata.generation
  return isOfNow && textAt(known, 'status') === 'True' ? textAt(known, 'message') : undefined
}

/** How many serve it, and why others don't. */
export function servedText({ digest, reports = [], serving, version }: Serving): string {
  const count = `${serving} of ${reports.length} ${reports.length === 1 ? 'proxy' : 'proxies'} ${serving === 1 ? 'serves' : 'serve'} it`
  const refusing = reports.filter(({ refused }) => refused?.digest === digest)
  return refusing.length === 0 ? count : `${count}, ${refusalText(refusing, version)}`
}

/** Why none serves it, with what to look at. A command ends it. */
export function unservedText({ digest, reports = [], version, isSettling }: Serving, { metadata }: KubeObject, workload: string): string {
  const { name, namespace = '' } = metadata
  const label = `gateway.networking.k8s.io/gateway-name=${labelValue(name)}`
  if (reports.length === 0 || isSettling) return `${nobodyReported}. Look at its pods: kubectl get pods -n ${namespace} -l ${label}`
  const refusing = reports.filter(({ refused }) => refused?.digest === digest)
  if (refusing.length === 0)
    return `its proxies serve an older configuration. Look at their log: kubectl logs -n ${namespace} deploy/${workload}`
  const others = refusing.filter((report) => report.version !== version)
  const remedy =
    others.length === 0
      ? `Look at their log: kubectl logs -n ${namespace} deploy/${workload}`
      : `Others take their place when the Deployment has rolled: kubectl rollout status -n ${namespace} deploy/${workload}`
  return `${refusalText(refusing, version)}. ${remedy}`
}

export const nobodyReported = 'no proxy has reported yet that it runs this configuration'

/** Each text once, with the versions where they may be why. */
function refusalText(refusing: readonly ProxyReport[], version: string): string {
  const texts = refusing.map((report) => {
    const of = report.version === version ? '' : `as mcplex ${report.version}, while mcplex ${version} wrote it: `
    return `${of}${report.refused?.text.replace(/[.\s]+$/, '') ?? ''}`
  })
  const count = refusing.length === 1 ? '1 proxy refuses it and serves' : `${refusing.length} proxies refuse it and serve`
  return `${count} the last good one (${joined(texts)})`
}
