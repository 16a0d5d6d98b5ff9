import { isRaw, listAt, numberAt, type Raw, textAt, titleOf, valueAt } from '../objects/objects.ts'
import { isExternal, isOwnPod } from '../services/services.ts'
import { gepDuration } from './go-duration.ts'
import { type IdentityContext, type IdentityReading, identityOf } from './identity-reading.ts'
import type { PolicyFault } from './policy-fault.ts'

/** An issuer as the document has it, and its places in the object. */
interface Issuer {
  readonly fragment: Raw
  readonly place: string
  /** The place of its keys. */
  readonly keysPlace: string
}

const providers = ['Auth0', 'Authentik', 'Descope', 'Entra', 'Keycloak', 'Okta'] as const

/** Reads a policy's `traffic.jwtAuthentication`. Fields that have no effect are reported by `leftOut`, not here. */
export function readTokens(written: unknown, namespace: string, place: string, from: IdentityContext): IdentityReading {
  if (!isRaw(written)) return none
  const faults: PolicyFault[] = []
  const list = listAt(written, 'providers')
  if (list.length === 0) faults.push(invalid(`${place}.providers lists nothing: name an issuer of tokens`))
  const issuers = list.map((provider, index): Issuer => {
    const here = `${place}.providers[${index}]`
    const jwks = valueAt(provider, 'jwks')
    const [inline, remote] = [textAt(jwks, 'inline'), valueAt(jwks, 'remote')]
    if ((inline === undefined) === (remote === undefined)) faults.push(invalid(`${here}.jwks: write exactly one of inline and remote`))
    const keysPlace = `${here}.jwks.${remote === undefined ? 'inline' : 'remote'}`
    const keys = remote === undefined ? { inline } : remoteKeys(remote, namespace, keysPlace, from, faults)
    return issuerOf(provider, keys, { place: here, keysPlace }, faults)
  })
  const mcp = valueAt(written, 'mcp')
  if (mcp !== undefined && list.length > 1)
    faults.push(invalid(`${place}.mcp: clients are told of one issuer, and there are ${list.length}: write a policy for each`))
  return assembled(written, issuers, mcp, { place, mcp: `${place}.mcp` }, faults)
}

/** Reads the `mcp.authentication` of a policy's `backend`, or of a backend's own `policies`. */
export function readLogin(written: unknown, namespace: string, place: string, from: IdentityContext): IdentityReading {
  if (!isRaw(written)) return none
  const faults: PolicyFault[] = []
  const keysPlace = `${place}.jwks`
  const keys = remoteKeys(valueAt(written, 'jwks'), namespace, keysPlace, from, faults)
  const issuer = issuerOf(written, keys, { place, keysPlace }, faults)
  return assembled(written, [issuer], written, { place, mcp: place }, faults)
}

const none: IdentityReading = { identity: undefined, faults: [], wanted: [] }

function assembled(
  written: Raw,
  issuers: readonly Issuer[],
  mcp: unknown,
  places: { readonly place: string; readonly mcp: string },
  faults: readonly PolicyFault[],
): IdentityReading {
  const told = mcp === undefined ? undefined : toldToClients(mcp, places.mcp)
  const all = [...faults, ...(told?.faults ?? [])]
  if (all.some(({ closes }) => closes)) return { identity: undefined, faults: all, wanted: [] }
  const ways = { jwt: issuers.map(({ fragment }) => fragment), ...(told === undefined ? {} : { mcp: told.fragment }) }
  const placeOf = (path: string): string => {
    const [, at = '', rest = ''] = /^jwt\[(\d+)\](.*)$/.exec(path) ?? []
    const issuer = at === '' ? undefined : issuers[Number(at)]
    if (issuer !== undefined) return rest.startsWith('.jwks') ? issuer.keysPlace : `${issuer.place}${rest}`
    return path.startsWith('mcp') ? `${places.mcp}${path.slice('mcp'.length)}` : places.place
  }
  const { identity, faults: more } = identityOf(ways, valueAt(written, 'mode'), placeOf)
  return { identity, faults: [...more, ...all], wanted: [] }
}

function issuerOf(provider: unknown, jwks: Raw, places: Omit<Issuer, 'fragment'>, faults: PolicyFault[]): Issuer {
  const { place } = places
  const issuer = textAt(provider, 'issuer')
  const audiences = valueAt(provider, 'audiences')
  if (issuer === undefined) faults.push(invalid(`${place}.issuer is missing: write the iss of its tokens`))
  if (audiences === undefined || (Array.isArray(audiences) && audiences.length === 0))
    faults.push(
      invalid(`${place}.audiences is missing, so tokens that were issued for anything else would pass: write the aud of tokens for this`),
    )
  return { fragment: { issuer, audiences, jwks }, ...places }
}

/** Where an issuer's keys are fetched from: a URL, or a port of a Service by plain HTTP. */
function remoteKeys(remote: unknown, namespace: string, place: string, from: IdentityContext, faults: PolicyFault[]): Raw {
  const age = textAt(remote, 'cacheDuration')
  const refresh = age === undefined ? undefined : gepDuration(age)
  if (age !== undefined && refresh === undefined)
    faults.push(invalid(`${place}.cacheDuration is not a duration: write a number with h, m or s, such as 10m`))
  const url = textAt(remote, 'url')
  const ref = valueAt(remote, 'backendRef')
  if ((url === undefined) === (ref === undefined)) faults.push(invalid(`${place}: write exactly one of url and backendRef`))
  if (url !== undefined && URL.canParse(url) && isOwnPod(new URL(url).hostname.replace(/^\[|\]$/g, '')))
    faults.push(invalid(`${place}.url means the proxy's own pod: write where the issuer publishes its keys`))
  const found = url ?? (ref === undefined ? undefined : serviceUrl(remote, ref, namespace, place, from, faults))
  return { ...(found === undefined ? {} : { url: found }), ...(refresh === undefined ? {} : { refresh }) }
}

function serviceUrl(
  remote: unknown,
  ref: unknown,
  namespace: string,
  place: string,
  { world, services, policed, kind }: IdentityContext,
  faults: PolicyFault[],
): string | undefined {
  const refuse = (message: string, reason = 'Invalid'): undefined => {
    faults.push({ reason, message: `${place}.${message}`, closes: true })
  }
  const name = textAt(ref, 'name')
  const port = numberAt(ref, 'port')
  const path = textAt(remote, 'jwksPath')
  if (name === undefined || port === undefined) return refuse('backendRef: write the name and the port of a Service')
  if (path === undefined) return refuse('jwksPath is missing: write the path of the keys there')
  const to = { group: '', kind: 'Service', namespace: textAt(ref, 'namespace') ?? namespace, name }
  const title = titleOf(to)
  if (!world.isAllowed({ group: 'agentgateway.dev', kind, namespace }, to)) {
    const grant = `a ReferenceGrant in ${to.namespace} from ${kind} (agentgateway.dev) of ${namespace} to Service`
    return refuse(`backendRef: ${title} may not be named from here: create ${grant}`, 'RefNotPermitted')
  }
  const key = `${to.namespace}/${name}`
  const service = services.find(key)
  // Where files have no Services at all, any may exist.
  if (service === undefined && world.all('', 'Service').length > 0)
    return refuse(`backendRef: there is no ${title}: create it, or name another`, 'BackendNotFound')
  if (service !== undefined && isExternal(service))
    return refuse(`backendRef: ${title} is an ExternalName: write url instead`, 'Unsupported')
  if (policed.has(key))
    return refuse(
      `backendRef: policies say how ${title} is called, and keys are fetched by plain HTTP alone: write url instead`,
      'Unsupported',
    )
  const isHeadless = textAt(service, 'spec', 'clusterIP') === 'None'
  const isPort = listAt(service, 'spec', 'ports').some((one) => numberAt(one, 'port') === port)
  if (service !== undefined && !isHeadless && !isPort) return refuse(`backendRef: ${title} has no port ${port}: name one that it has`)
  return `http://${services.hostOf(key)}:${services.portOf(key, port)}/${path.replace(/^\/+/, '')}`
}

/**
 * The members of protected resource metadata (RFC 9728) that can be written, with their names in a document. mcplex sets the others itself.
 */
const metadata: Readonly<Record<string, string>> = {
  resource: 'resource',
  scopessupported: 'scopesSupported',
  resourcename: 'resourceName',
  resourcedocumentation: 'resourceDocumentation',
}

function toldToClients(mcp: unknown, place: string): { readonly fragment: Raw; readonly faults: readonly PolicyFault[] } {
  const faults: PolicyFault[] = []
  const provider = providers.find((one) => one === valueAt(mcp, 'provider'))
  const clientId = textAt(mcp, 'clientId')
  const written = valueAt(mcp, 'resourceMetadata')
  if (written !== undefined && !isRaw(written)) faults.push(invalid(`${place}.resourceMetadata is not an object: correct it`))
  const members = Object.entries(isRaw(written) ? written : {}).flatMap(([name, value]) => {
    const spelled = name.replace(/[-_]/g, '').toLowerCase()
    const known = Object.hasOwn(metadata, spelled) ? metadata[spelled] : undefined
    const meant = known === 'scopesSupported' ? listOf(value) : typeof value === 'string' && value !== '' ? value : undefined
    if (known !== undefined && meant !== undefined) return [[known, meant] as const]
    const why =
      known === undefined ? 'has no effect: mcplex tells clients what it knows of this itself' : 'is not of the right type: correct it'
    faults.push({
      reason: known === undefined ? 'Unsupported' : 'Invalid',
      message: `${place}.resourceMetadata.${name} ${why}`,
      closes: false,
    })
    return []
  })
  const fragment = {
    ...(provider === undefined ? {} : { provider: provider.toLowerCase() }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(members.length === 0 ? {} : { resourceMetadata: Object.fromEntries(members) }),
  }
  return { fragment, faults }
}

/** A list of texts, which may be written as JSON in a text. */
function listOf(value: unknown): readonly string[] | undefined {
  const list = typeof value === 'string' ? parsed(value) : value
  return Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '') ? list : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function invalid(message: string): PolicyFault {
  return { reason: 'Invalid', message, closes: true }
}
