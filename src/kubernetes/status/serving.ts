import {
  joined,
  type KubeObject,
  labelValue,
  listAt,
  numberAt,
  type Observations,
  type ProxyReport,
  type Raw,
  type Settings,
  textAt,
} from '../objects/objects.ts'

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
  /** Why no pod is there, and where that can be changed. Undefined: some should be. */
  readonly noPods: string | undefined
}

/** Of a Gateway's document and what else is known of the Gateway. */
export interface Served {
  readonly digest: string
  /** As its view has them. */
  readonly parameters: Raw
  /** Titles of those who say them. */
  readonly titles: readonly string[]
}

/** @param key of the Gateway */
export function servingOf(key: string, served: Served, observed: Observations, { version }: Pick<Settings, 'version'>): Serving {
  const { digest, parameters, titles } = served
  const reports = observed.proxies === undefined ? undefined : (observed.proxies.get(key) ?? [])
  const serving = reports?.filter((report) => digest !== '' && report.digest === digest).length ?? 0
  const noPods = numberAt(parameters, 'replicas') === 0 ? `spec.replicas is 0 in ${titles.join(' or ')}` : undefined
  return { digest, reports, serving, isSettling: isSettling(key, digest, observed), version, noPods }
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

/** Why none serves it. */
export function whyUnserved({ digest, reports = [], version, isSettling, noPods }: Serving): string {
  if (reports.length === 0 && noPods !== undefined) return `no proxy is to run: ${noPods}`
  if (reports.length === 0 || isSettling) return nobodyReported
  const refusing = reports.filter(({ refused }) => refused?.digest === digest)
  return refusing.length === 0 ? 'its proxies serve an older configuration' : refusalText(refusing, version)
}

/** The same with what to look at. A command ends it, unless it is known what to write. */
export function unservedText(serving: Serving, gateway: KubeObject, workload: string): string {
  const { digest, reports = [], version, isSettling, noPods } = serving
  const why = whyUnserved(serving)
  if (reports.length === 0 && noPods !== undefined) return why
  if (reports.length === 0 || isSettling) return `${why}. ${lookAtPods(gateway)}`
  const { namespace = '' } = gateway.metadata
  const others = reports.filter(({ refused, version: own }) => refused?.digest === digest && own !== version)
  return others.length === 0
    ? `${why}. Look at their log: kubectl logs -n ${namespace} deploy/${workload}`
    : `${why}. Others take their place when the Deployment has rolled: kubectl rollout status -n ${namespace} deploy/${workload}`
}

/** A command ends it. */
export function lookAtPods({ metadata: { name, namespace = '' } }: KubeObject): string {
  return `Look at its pods: kubectl get pods -n ${namespace} -l gateway.networking.k8s.io/gateway-name=${labelValue(name)}`
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
