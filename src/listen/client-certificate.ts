import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { ClientCertificate } from '../mcp/mcp.ts'

/**
 * The identity that a certificate names. Undefined where it names none, or in a way that could be read as another kind of name, such as a
 * DNS name that looks like a URI. Only URI, DNS, IP address and e-mail alternative names are read.
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
 * Parses alternative names in Node's form, `DNS:a, URI:"b\u002c c"`, where a value that could be misread is a JSON string. Undefined where
 * any part of the text is in another form.
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

/** What the names of each kind look like; no name fits two kinds. */
const shapes: Readonly<Record<string, (value: string) => boolean>> = {
  URI: (value) => /^[A-Za-z][-+.A-Za-z0-9]*:[\x21-\x7e]+$/.test(value),
  DNS: (value) => /^[-*._A-Za-z0-9]+$/.test(value),
  'IP Address': (value) => isIP(value) !== 0,
  email: (value) => /^[^\s:@\p{Cc}]+@[-.A-Za-z0-9]+$/u.test(value),
}

function isPlain({ kind, value }: AlternativeName): boolean {
  return shapes[kind]?.(value) ?? true
}

/** The subject's common name, if it has exactly one, on one line, that is no URI. */
function commonName(certificate: X509Certificate): string | undefined {
  const name: unknown = certificate.toLegacyObject().subject?.CN
  return typeof name === 'string' && name !== '' && !/:\/\/|\p{Cc}/u.test(name) ? name : undefined
}

/**
 * A distinguished name on one line, its parts in the certificate's order and separated by commas; commas in values are escaped (RFC 4514).
 */
function oneLine(name: string): string {
  return name.replaceAll('\n', ',')
}
