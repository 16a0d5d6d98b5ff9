import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import { isRaw, type KubeObject, listAt, type ObjectRef, type Raw, textAt, titleOf } from '../objects/objects.ts'
import type { PolicyFault } from './policy-fault.ts'
import { hasText, localRef, type Referring, referencedText } from './referenced-text.ts'

/** What a `BackendTLS` comes to. */
export interface TlsReading {
  readonly tls: Raw | undefined
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

/** Reads a `BackendTLS`. An empty one means HTTPS with the system's certificate authorities and the host's own name. */
export function readTls(tls: unknown, namespace: string, place: string, from: Referring): TlsReading {
  if (!isRaw(tls)) return { tls: undefined, faults: [], wanted: [] }
  const faults: PolicyFault[] = []
  const wanted: ObjectRef[] = []
  const read = (ref: ObjectRef, key: string, here: string): string | undefined => {
    const found = referencedText(ref, key, here, from)
    if (found.kind === 'fault') faults.push(found.fault)
    return found.kind === 'text' ? found.text : undefined
  }
  const refAt = (list: string, index: number, ...kinds: Parameters<typeof localRef>[2]): ObjectRef | undefined => {
    const ref = localRef(listAt(tls, list)[index], namespace, kinds)
    if (ref === undefined) {
      faults.push(invalid(`${place}.${list}[${index}] names no ${kinds.join(' or ')}: write a name`))
      return undefined
    }
    wanted.push(ref)
    return ref
  }
  const isRight = (ref: ObjectRef, known: Judgements, here: string, judge: () => string | undefined): boolean => {
    const wrong = judgedOnce(from.world.find(ref), known, judge)
    if (wrong !== undefined) faults.push(invalid(`${here} names ${titleOf(ref)}, whose ${wrong}`))
    return wrong === undefined
  }
  const authority = (ref: ObjectRef, here: string): readonly string[] => {
    const pem = read(ref, 'ca.crt', here)
    return pem !== undefined && isRight(ref, authorities, here, () => authorityFault(pem)) ? [pem.trim()] : []
  }

  const refs = listAt(tls, 'caCertificateRefs')
  const named = refs.flatMap((_, index) => {
    const ref = refAt('caCertificateRefs', index, 'ConfigMap', 'Secret')
    return ref === undefined ? [] : authority(ref, `${place}.caCertificateRefs[${index}]`)
  })

  const own = listAt(tls, 'mtlsCertificateRef')
  const here = `${place}.mtlsCertificateRef[0]`
  if (own.length > 1) faults.push(invalid(`${place}.mtlsCertificateRef has several items: keep one`))
  const pair = own.length === 0 ? undefined : refAt('mtlsCertificateRef', 0, 'Secret')
  const cert = pair === undefined ? undefined : read(pair, 'tls.crt', here)
  const key = pair === undefined ? undefined : read(pair, 'tls.key', here)
  if (pair !== undefined && cert !== undefined && key !== undefined) isRight(pair, pairs, here, () => pairFault(cert, key))
  // The Secret of a client certificate may have the authority of the server under `ca.crt`.
  const hasOwnAuthority = pair !== undefined && refs.length === 0 && hasText(pair, 'ca.crt', from)
  const bundles = [...named, ...(hasOwnAuthority ? authority(pair, here) : [])]
  const isLong = bundles.reduce((sum, { length }) => sum + length, 0) > maxBundle
  if (isLong) faults.push(invalid(`${place}.caCertificateRefs name more than ${maxBundle / 1024} KiB together: name fewer`))
  const ca = isLong ? '' : bundles.join('\n')

  const isInsecure = textAt(tls, 'insecureSkipVerify') === 'All'
  if (isInsecure && refs.length > 0)
    faults.push(invalid(`${place} has both insecureSkipVerify: All and caCertificateRefs: keep one of them`))
  const serverName = textAt(tls, 'sni')
  const wrongName = serverName === undefined ? undefined : nameFault(serverName, `${place}.sni`)
  if (wrongName !== undefined) faults.push(wrongName)
  return {
    tls: {
      ...(ca === '' ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(serverName === undefined ? {} : { serverName }),
      ...(isInsecure ? { insecure: true } : {}),
    },
    faults,
    wanted,
  }
}

/** Bounds of the authorities of one server, more than any system has: each target in the document repeats them. */
const maxBundle = 256 * 1024
const maxCertificates = 200

/** What was found wrong with ConfigMaps and Secrets, kept for as long as their objects are: many targets can refer to one. */
type Judgements = WeakMap<KubeObject, string | undefined>
const authorities: Judgements = new WeakMap()
const pairs: Judgements = new WeakMap()

function judgedOnce(object: KubeObject | undefined, known: Judgements, judge: () => string | undefined): string | undefined {
  if (object === undefined) return judge()
  if (!known.has(object)) known.set(object, judge())
  return known.get(object)
}

function authorityFault(pem: string): string | undefined {
  if (pem.length > maxBundle) return `key ca.crt holds more than ${maxBundle / 1024} KiB: leave out authorities that no server needs`
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length > maxCertificates)
    return `key ca.crt holds more than ${maxCertificates} certificates: leave out authorities that no server needs`
  const isRight = blocks.length > 0 && blocks.every((block) => succeeds(() => new X509Certificate(block)))
  return isRight ? undefined : 'key ca.crt holds no certificates as PEM text: correct it'
}

function pairFault(cert: string, key: string): string | undefined {
  if (cert.length + key.length > maxBundle) return `tls.crt and tls.key hold more than ${maxBundle / 1024} KiB: keep what is needed`
  const isRight = succeeds(() => createSecureContext({ cert, key }))
  return isRight ? undefined : 'tls.crt and tls.key are no certificate with its key as PEM text: correct it'
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}

function nameFault(serverName: string, place: string): PolicyFault | undefined {
  const server = { http: { host: 'probe', port: 1, tls: { serverName } } }
  const [problem] = fragmentErrors({ backends: { probe: { servers: { probe: server } } } })
  return problem === undefined ? undefined : invalid(`${place} ${sentenceOf(problem)}`)
}

function invalid(message: string): PolicyFault {
  return { reason: 'Invalid', message, closes: true }
}
