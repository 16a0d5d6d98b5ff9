import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { fragmentErrors, sentenceOf } from './fragment-errors.ts'
import type { ObjectRef, Raw } from './model.ts'
import { isRaw, listAt, textAt } from './raw.ts'
import { hasText, localRef, type Referring, referencedText } from './referenced-text.ts'
import type { PolicyFault } from './views.ts'
import { titleOf } from './world.ts'

export interface TlsReading {
  readonly tls: Raw | undefined
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

/** What a `BackendTLS` asks for; an empty one is https with the system's authorities and the host's own name. */
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
  const authority = (ref: ObjectRef, here: string): readonly string[] => {
    const pem = read(ref, 'ca.crt', here)
    if (pem === undefined) return []
    if (areCertificates(pem)) return [pem.trim()]
    faults.push(invalid(`${here} names ${titleOf(ref)}, whose key ca.crt holds no certificates as PEM text: correct it`))
    return []
  }

  const refs = listAt(tls, 'caCertificateRefs')
  const authorities = refs.flatMap((_, index) => {
    const ref = refAt('caCertificateRefs', index, 'ConfigMap', 'Secret')
    return ref === undefined ? [] : authority(ref, `${place}.caCertificateRefs[${index}]`)
  })

  const own = listAt(tls, 'mtlsCertificateRef')
  const here = `${place}.mtlsCertificateRef[0]`
  if (own.length > 1) faults.push(invalid(`${place}.mtlsCertificateRef has several items: keep one`))
  const pair = own.length === 0 ? undefined : refAt('mtlsCertificateRef', 0, 'Secret')
  const cert = pair === undefined ? undefined : read(pair, 'tls.crt', here)
  const key = pair === undefined ? undefined : read(pair, 'tls.key', here)
  if (pair !== undefined && cert !== undefined && key !== undefined && !isPair(cert, key))
    faults.push(
      invalid(`${here} names ${titleOf(pair)}, whose tls.crt and tls.key are no certificate with its key as PEM text: correct it`),
    )
  // A client certificate's Secret may bring the authority of the server with it.
  const hasOwnAuthority = pair !== undefined && refs.length === 0 && hasText(pair, 'ca.crt', from)
  const ca = [...authorities, ...(hasOwnAuthority ? authority(pair, here) : [])].join('\n')

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

function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.length > 0 && blocks.every((block) => succeeds(() => new X509Certificate(block)))
}

function isPair(cert: string, key: string): boolean {
  return succeeds(() => createSecureContext({ cert, key }))
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
