import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { ClientCertificate } from '../mcp/mcp.ts'

/**
 * Whom a certificate names; undefined where it names nobody, or in a way that could be read as another kind of name, such as a DNS name
 * with the text of a URI. Alternative names of other kinds than URI, DNS, IP address and e-mail are left out.
 */
export function readClientCertificate(certificate: X509Certificate): ClientCertificate | undefined {
  const names = alternativeNames(certificate.subjectAltName ?? '')
  if (names === undefined || !names.every(isPlain)) return undefined
  const first = (kind: string) => names.find((name) => name.kind === kind)?.value
  const identity = first('URI') ?? first('DNS') ?? commonName(certificate)
  if (identity === undefined) return undefined
  return {
    identity,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    alternativeNames: names.filter(({ kind }) => kind in shapes).map(({ value }) => value),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    expiresAtMs: certificate.validToDate.getTime(),
  }
}

interface AlternativeName {
  readonly kind: string
  readonly value: string
}

/**
 * The entries of a text in Node's form: `DNS:a, URI:"b\u002c c"`, where a value that could be read as more than itself is a JSON string.
 * Undefined where it is not in this form to its end.
 */
function alternativeNames(text: string): readonly AlternativeName[] | undefined {
  const entry = /([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, (?=.)|$)/gy
  const names: AlternativeName[] = []
  while (entry.lastIndex < text.length) {
    const [, kind = '', quoted, plain = ''] = entry.exec(text) ?? []
    if (kind === '') return undefined
    const value: unknown = quoted === undefined ? plain : JSON.parse(quoted)
    if (typeof value !== 'string') return undefined
    names.push({ kind, value })
  }
  return names
}

/** By kind, what its names look like: none looks like another. */
const shapes: Readonly<Record<string, (value: string) => boolean>> = {
  URI: (value) => /^[A-Za-z][-+.A-Za-z0-9]*:[\x21-\x7e]+$/.test(value),
  DNS: (value) => /^[-*._A-Za-z0-9]+$/.test(value),
  'IP Address': (value) => isIP(value) !== 0,
  email: (value) => /^[^\s:@\p{Cc}]+@[-.A-Za-z0-9]+$/u.test(value),
}

function isPlain({ kind, value }: AlternativeName): boolean {
  return shapes[kind]?.(value) ?? true
}

/** The subject's only common name, where it is no URI and one line. */
function commonName(certificate: X509Certificate): string | undefined {
  const name: unknown = certificate.toLegacyObject().subject?.CN
  return typeof name === 'string' && name !== '' && !/:\/\/|\p{Cc}/u.test(name) ? name : undefined
}

/** A distinguished name in the certificate's own order, its parts parted by commas; commas in values are escaped (RFC 4514). */
function oneLine(name: string): string {
  return name.replaceAll('\n', ',')
}
