import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type IssuerKey, makeKey } from './issuer-for-test.ts'
import { readSigningKeys } from './signing-key.ts'

const all = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA']
let ec: IssuerKey
let rsa: IssuerKey
let ed: IssuerKey

before(async () => {
  ;[ec, rsa, ed] = await Promise.all([makeKey('ec'), makeKey('rsa', 'RS256'), makeKey('ed', 'EdDSA')])
})

const without = (jwk: JWK, ...names: readonly string[]) => Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)))

test('a key signs with what fits its kind, its `alg` and what is allowed', () => {
  const rows: readonly (readonly [unknown, readonly string[]])[] = [
    [ec.jwk, ['ES256']],
    [without(ec.jwk, 'alg', 'use'), ['ES256']],
    [without(rsa.jwk, 'alg'), ['RS256', 'RS512', 'PS256']],
    [rsa.jwk, ['RS256']],
    [ed.jwk, ['EdDSA']],
    [{ ...rsa.jwk, key_ops: ['verify'] }, ['RS256']],
  ]
  for (const [jwk, algorithms] of rows) assert.deepEqual(readSigningKeys({ keys: [jwk] }, all)?.keys[0]?.algorithms, algorithms)
})

test('keys that must not be used are left out', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const tiny = Buffer.alloc(128, 0xff).toString('base64url')
  const huge = Buffer.alloc(2048, 0xff).toString('base64url')
  const padded = Buffer.concat([Buffer.alloc(128), Buffer.alloc(128, 0xff)]).toString('base64url')
  const rows: readonly (readonly [string, unknown])[] = [
    ['shared secret', { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }],
    ['shared secret that claims to be another', { kty: 'oct', k: 'c2VjcmV0', alg: 'RS256' }],
    ['for encryption', { ...rsa.jwk, use: 'enc' }],
    ['of an encryption algorithm', { ...rsa.jwk, alg: 'RSA-OAEP' }],
    ['for wrapping', { ...rsa.jwk, key_ops: ['wrapKey'] }],
    ['not an allowed algorithm', { ...rsa.jwk, alg: 'RS384' }],
    ['another curve', { ...ec.jwk, crv: 'secp256k1' }],
    ['another kind than its algorithm', { ...ec.jwk, alg: 'RS256' }],
    ['1024 bits', { ...rsa.jwk, n: tiny }],
    ['1024 bits behind zeros', { ...rsa.jwk, n: padded }],
    ['16384 bits', { ...rsa.jwk, n: huge }],
    ['exponent 1', { ...rsa.jwk, e: 'AQ' }],
    ['endless exponent', { ...rsa.jwk, e: rsa.jwk.n }],
    ['private', await exportJWK(privateKey)],
    ['kid no text', { ...ec.jwk, kid: 1 }],
    ['incomplete', without(ec.jwk, 'y')],
    ['no object', 'key'],
    ['null', null],
  ]
  const read = readSigningKeys({ keys: rows.map(([, jwk]) => jwk) }, all)
  assert.deepEqual(read, { keys: [], ignored: rows.length })
  for (const [name, jwk] of rows) assert.deepEqual(readSigningKeys({ keys: [jwk] }, all)?.keys, [], name)
})

test('no set at all is told from an empty one', () => {
  for (const set of [undefined, null, [], {}, { keys: {} }, 'keys', ec.jwk]) assert.equal(readSigningKeys(set, all), undefined)
  assert.deepEqual(readSigningKeys({ keys: [] }, all), { keys: [], ignored: 0 })
})

test('a key that stays in the set stays the same object; one whose members changed does not', () => {
  const first = readSigningKeys({ keys: [ec.jwk, rsa.jwk] }, all)?.keys ?? []
  const second = readSigningKeys({ keys: [rsa.jwk, { ...ec.jwk, x: ed.jwk.x }] }, all, first)?.keys ?? []
  assert.equal(second[0], first[1])
  assert.equal(second[1]?.kid, 'ec')
  assert.notEqual(second[1], first[0])
})

test('a point that is not on its curve is no key', async () => {
  const [broken] = readSigningKeys({ keys: [{ ...ec.jwk, y: ec.jwk.x }] }, all)?.keys ?? []
  assert.equal(await broken?.cryptoKey('ES256'), undefined)
  const [sound] = readSigningKeys({ keys: [ec.jwk] }, all)?.keys ?? []
  assert.equal((await sound?.cryptoKey('ES256'))?.type, 'public')
})

test('of very many keys the first hundred are read', () => {
  const keys = Array.from({ length: 150 }, (_, n) => ({ ...ec.jwk, kid: String(n) }))
  const read = readSigningKeys({ keys }, all)
  assert.equal(read?.keys.length, 100)
  assert.equal(read?.ignored, 50)
})
