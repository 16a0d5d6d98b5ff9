import { createServer } from 'node:http'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { atEnd } from './at-end.ts'
import { freePort } from './ports.ts'

export interface TokenIssuer {
  readonly issuer: string
  /** Where its keys are; they are only given to who has the secret. */
  readonly jwksUrl: string
  /** How often its keys were fetched. */
  readonly fetched: () => number
  /** A token that is good for an hour, unless the claims say otherwise. */
  token(claims: JWTPayload): Promise<string>
  /** One that another key has signed under the same name. */
  forged(claims: JWTPayload): Promise<string>
}

/** Starts an identity provider on loopback, of which no more is there than its keys. */
export async function startIssuer(t: TestContext, secret: string): Promise<TokenIssuer> {
  const pairs = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')])
  const [own, other] = pairs
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] })
  let fetched = 0
  const path = `/jwks?secret=${secret}`
  const server = createServer((request, response) => {
    if (request.url !== path) return void response.writeHead(404).end()
    fetched++
    response.writeHead(200, { 'content-type': 'application/json' }).end(jwks)
  })
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${port}`
  const signed = (claims: JWTPayload, key: CryptoKey) => {
    const nowSeconds = Math.floor(Date.now() / 1000)
    const whole = { iss: issuer, aud: 'mcplex', iat: nowSeconds, exp: nowSeconds + 3600, ...claims }
    return new SignJWT(whole).setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt' }).sign(key)
  }
  return {
    issuer,
    jwksUrl: `${issuer}${path}`,
    fetched: () => fetched,
    token: (claims) => signed(claims, own.privateKey),
    forged: (claims) => signed(claims, other.privateKey),
  }
}
