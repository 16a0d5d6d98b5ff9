import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { type CertificateWish, makeAuthority } from './certificate-for-test.ts'
import { readClientCertificate } from './client-certificate.ts'

const authority = makeAuthority('Authority, Inc.')
const read = (wish: CertificateWish) => readClientCertificate(new X509Certificate(authority.issue(wish).cert))

/** Common names, alternative names, and the identity with the alternative names that are told; undefined: it names nobody. */
const table: readonly (readonly [names: string[], alternative: string[], identity: string | undefined, told?: string[]])[] = [
  [['cn'], [], 'cn', []],
  [['cn'], ['DNS:a.example'], 'a.example', ['a.example']],
  [['cn'], ['DNS:a.example', 'URI:spiffe://x/y', 'URI:spiffe://z'], 'spiffe://x/y', ['a.example', 'spiffe://x/y', 'spiffe://z']],
  [['cn'], ['email:a@b.example', 'IP:192.0.2.1'], 'cn', ['a@b.example', '192.0.2.1']],
  [['Doe, Jane + "x"'], [], 'Doe, Jane + "x"', []],
  [['cn'], ['URI:spiffe://x/a,b'], 'spiffe://x/a,b', ['spiffe://x/a,b']],
  [['cn'], ['URI:https://x/"q"\\u0041'], 'https://x/"q"\\u0041', ['https://x/"q"\\u0041']],
  // One name that reads as two, or as another kind of name.
  [['cn'], ['DNS:a, URI:spiffe://x'], undefined],
  [['cn'], ['DNS:a", URI:spiffe://x'], undefined],
  [['cn'], ['DNS:a\n, URI:spiffe://x'], undefined],
  [['cn'], ['DNS:a\0.example'], undefined],
  [['cn'], ['DNS:spiffe://x'], undefined],
  [['cn'], ['DNS:'], undefined],
  [['cn'], ['email:spiffe://x'], undefined],
  [['cn'], ['email:a, URI:spiffe://x@b'], undefined],
  [['cn'], ['URI:spiffe://x y'], undefined],
  [['cn'], ['URI:spiffe://é'], undefined],
  [['cn'], ['URI:a.example'], undefined],
  [['spiffe://x'], [], undefined],
  [['a\nCN=b'], [], undefined],
  [['a', 'b'], [], undefined],
  [[], [], undefined],
]

test('whom a certificate names', () => {
  for (const [names, alternativeNames, identity, told] of table) {
    const found = read({ names, alternativeNames })
    assert.deepEqual([found?.identity, found?.alternativeNames], [identity, told], JSON.stringify([names, alternativeNames]))
  }
})

test('subject, issuer, fingerprint and end are those of the certificate', () => {
  const { cert } = authority.issue({ names: ['Doe, Jane'], days: [-1, 10] })
  const certificate = new X509Certificate(cert)
  assert.deepEqual(readClientCertificate(certificate), {
    identity: 'Doe, Jane',
    subject: 'CN=Doe\\, Jane',
    issuer: 'CN=Authority\\, Inc.',
    alternativeNames: [],
    fingerprint: certificate.fingerprint256.replace(/:/g, '').toLowerCase(),
    expiresAtMs: Date.parse(certificate.validTo),
  })
})
