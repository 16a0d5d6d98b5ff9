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

/** What a Gateway's proxies report of its newest document. */
export interface Serving {
  /** The digest of that document; empty where there is none. */
  readonly digest: string
  /** The reports of the proxies that answer; undefined where proxies are not asked. */
  readonly reports: readonly ProxyReport[] | undefined
  /** How many proxies serve the document. */
  readonly serving: number
  /** Whether the document is so new that the status may keep what it says of the one before. */
  readonly isSettling: boolean
  /** The version of mcplex that wrote the document. */
  readonly version: string
  /** Why there are no pods, and where that can be changed; undefined where there should be some. */
  readonly noPods: string | undefined
}

/** What a Gateway's proxies are to serve. */
export interface Served {
  readonly digest: string
  /** Its parameters over those of its class. */
  readonly parameters: Raw
  /** Titles of the GatewayParameters that they come from. */
  readonly titles: readonly string[]
}

/**
 * What the proxies of a Gateway report of its document.
 * @param key `ns/name` of the Gateway
 */
export function servingOf(key: string, served: Served, observed: Observations, { version }: Pick<Settings, 'version'>): Serving {
  const { digest, parameters, titles } = served
  const reports = observed.proxies === undefined ? undefined : (observed.proxies.get(key) ?? [])
  const serving = reports?.filter((report) => digest !== '' && report.digest === digest).length ?? 0
  const noPods = numberAt(parameters, 'replicas') === 0 ? `spec.replicas is 0 in ${titles.join(' or ')}` : undefined
  return { digest, reports, serving, isSettling: isSettling(key, digest, observed), version, noPods }
}

/** Whether a Gateway's document changed so recently that its proxies may not have it yet. */
export function isSettling(key: string, digest: string, { settling, digests }: Observations): boolean {
  return settling?.has(key) === true || (digests !== undefined && digests.get(key) !== digest)
}

/**
 * Whether the status keeps what it says of the document before, so that it does not become False and then True again with each new
 * document. It does not once all proxies serve the new one.
 */
export function isKept({ isSettling, serving, reports = [] }: Serving): boolean {
  return isSettling && (serving === 0 || serving < reports.length)
}

/**
 * The message of the condition Programmed that is True and for the object's present generation; undefined where there is none.
 * @param holder the status, or the part of it, that has the conditions
 */
export function programmedBefore({ metadata }: KubeObject, holder: unknown): string | undefined {
  const known = listAt(holder, 'conditions').find((one) => textAt(one, 'type') === 'Programmed')
  const isOfNow = numberAt(known, 'observedGeneration') === metadata.generation
  return isOfNow && textAt(known, 'status') === 'True' ? textAt(known, 'message') : undefined
}

/** How many proxies serve the document, and why others refuse it. */
export function servedText({ digest, reports = [], serving, version }: Serving): string {
  const count = `${serving} of ${reports.length} ${reports.length === 1 ? 'proxy' : 'proxies'} ${serving === 1 ? 'serves' : 'serve'} it`
  const refusing = reports.filter(({ refused }) => refused?.digest === digest)
  return refusing.length === 0 ? count : `${count}, ${refusalText(refusing, version)}`
}

/** Why no proxy serves the document. */
export function whyUnserved({ digest, reports = [], version, isSettling, noPods }: Serving): string {
  if (reports.length === 0 && noPods !== undefined) return `no proxy is to run: ${noPods}`
  if (reports.length === 0 || isSettling) return nobodyReported
  const refusing = reports.filter(({ refused }) => refused?.digest === digest)
  return refusing.length === 0 ? 'its proxies serve an older configuration' : refusalText(refusing, version)
}

/** The same with the remedy: unless that is known, a command that shows more, at the end. */
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

/** A sentence that ends with a command which shows the Gateway's pods. */
export function lookAtPods({ metadata: { name, namespace = '' } }: KubeObject): string {
  return `Look at its pods: kubectl get pods -n ${namespace} -l gateway.networking.k8s.io/gateway-name=${labelValue(name)}`
}

/** Why a Gateway is not Programmed of which no proxy has reported. */
export const nobodyReported = 'no proxy has reported yet that it runs this configuration'

/** How many proxies refuse the document, and their reasons, each once, with the versions of mcplex where these differ. */
function refusalText(refusing: readonly ProxyReport[], version: string): string {
  const texts = refusing.map((report) => {
    const of = report.version === version ? '' : `as mcplex ${report.version}, while mcplex ${version} wrote it: `
    return `${of}${report.refused?.text.replace(/[.\s]+$/, '') ?? ''}`
  })
  const count = refusing.length === 1 ? '1 proxy refuses it and serves' : `${refusing.length} proxies refuse it and serve`
  return `${count} the last good one (${joined(texts)})`
}
