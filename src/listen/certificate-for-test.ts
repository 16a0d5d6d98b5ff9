import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate with its key, as PEM texts. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** From when and until when, in days from now. */
export type Days = readonly [from: number, to: number]

/** An authority of its own making. */
export interface TestAuthority extends TestCertificate {
  readonly name: string
  issue(wish?: CertificateWish): TestCertificate
}

export interface CertificateWish {
  /** The subject's common names. */
  readonly names?: readonly string[]
  /** Alternative names such as `DNS:a.example`, `URI:spiffe://x`, `IP:127.0.0.1` or `email:a@b`; what follows the colon is taken as it is. */
  readonly alternativeNames?: readonly string[]
  readonly use?: 'server' | 'client' | 'any'
  readonly days?: Days
}

/** Makes a root authority. No part of this checks anything, so that hostile certificates can be made too. */
export function makeAuthority(name: string, days: Days = [-1, 3650]): TestAuthority {
  const own = pair()
  const extensions = [basicConstraints(true), keyUsage([0x06])]
  const cert = certificate({ issuer: [name], signer: own.key, subject: [name], publicKey: own.spki, days, extensions })
  return {
    name,
    cert,
    key: own.pem,
    issue({ names = ['leaf'], alternativeNames = [], use = 'any', days: span = [-1, 365] as const } = {}) {
      const { pem, spki } = pair()
      const extended = [
        basicConstraints(false),
        ...(use === 'any' ? [] : [extension('2.5.29.37', sequence(oid(use === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2')))]),
        ...(alternativeNames.length === 0 ? [] : [extension('2.5.29.17', sequence(...alternativeNames.map(alternativeName)))]),
      ]
      const leaf = certificate({ issuer: [name], signer: own.key, subject: names, publicKey: spki, days: span, extensions: extended })
      return { cert: leaf, key: pem }
    },
  }
}

function pair(): { readonly key: KeyObject; readonly pem: string; readonly spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    key: privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  }
}

interface Parts {
  readonly issuer: readonly string[]
  readonly signer: KeyObject
  readonly subject: readonly string[]
  readonly publicKey: Buffer
  readonly days: Days
  readonly extensions: readonly Buffer[]
}

/** RFC 5280 section 4.1. */
function certificate({ issuer, signer, subject, publicKey, days, extensions }: Parts): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')) // ecdsa-with-SHA256
  const serial = createHash('sha256').update(randomBytes(16)).digest().subarray(0, 8)
  serial[0] = 0x7f
  const body = sequence(
    node(0xa0, node(0x02, Buffer.from([2]))),
    node(0x02, serial),
    algorithm,
    distinguishedName(issuer),
    sequence(...days.map(time)),
    distinguishedName(subject),
    publicKey,
    node(0xa3, sequence(...extensions)),
  )
  const whole = sequence(body, algorithm, bitString(sign('sha256', body, signer)))
  const lines = whole.toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`
}

function distinguishedName(commonNames: readonly string[]): Buffer {
  return sequence(...commonNames.map((name) => node(0x31, sequence(oid('2.5.4.3'), node(0x0c, Buffer.from(name, 'utf8'))))))
}

function alternativeName(name: string): Buffer {
  const at = name.indexOf(':')
  const value = name.slice(at + 1)
  switch (name.slice(0, at)) {
    case 'email':
      return node(0x81, Buffer.from(value, 'utf8'))
    case 'DNS':
      return node(0x82, Buffer.from(value, 'utf8'))
    case 'URI':
      return node(0x86, Buffer.from(value, 'utf8'))
    default:
      return node(0x87, Buffer.from(value.split('.').map(Number)))
  }
}

function basicConstraints(isAuthority: boolean): Buffer {
  return extension('2.5.29.19', isAuthority ? sequence(node(0x01, Buffer.from([0xff]))) : sequence())
}

function keyUsage(bits: readonly number[]): Buffer {
  return extension('2.5.29.15', node(0x03, Buffer.from([1, ...bits])))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), node(0x04, value))
}

function time(days: number): Buffer {
  const at = new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')
  return node(0x18, Buffer.from(at, 'latin1'))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return node(0x30, Buffer.concat(parts))
}

function bitString(bytes: Buffer): Buffer {
  return node(0x03, Buffer.concat([Buffer.from([0]), bytes]))
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const groups = [part & 0x7f]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift(0x80 | (left & 0x7f))
    bytes.push(...groups)
  }
  return node(0x06, Buffer.from(bytes))
}

/** A value with its tag and length (X.690). */
function node(tag: number, value: Buffer): Buffer {
  const { length } = value
  const head = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}
