import type { Keycloak } from '../setup/keycloak.ts'
import { clients, type Person, people } from './realm.ts'

export interface Wanted {
  readonly client?: 'tests' | 'brief'
  readonly scope?: string
  /** What of the answer is given. */
  readonly kind?: 'access_token' | 'id_token' | 'refresh_token'
}

/** A new token for a person, who gives the password to the client. */
export function tokenOf(keycloak: Keycloak, person: Person, wanted: Wanted = {}): Promise<string> {
  return grant(keycloak, { grant_type: 'password', username: person, password: people[person].password }, wanted)
}

/** A new access token for the client itself. */
export function ownToken(keycloak: Keycloak): Promise<string> {
  return grant(keycloak, { grant_type: 'client_credentials' }, {})
}

/** The `kid` of the key that has signed a token. */
export function keyOf(token: string): string {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { readonly kid: string }
  return header.kid
}

async function grant(
  keycloak: Keycloak,
  form: Readonly<Record<string, string>>,
  { client = 'tests', scope, kind = 'access_token' }: Wanted,
): Promise<string> {
  const { clientId, secret } = clients[client]
  const body = new URLSearchParams({ ...form, client_id: clientId, client_secret: secret, ...(scope === undefined ? {} : { scope }) })
  const reply = await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, { method: 'POST', body })
  const answer = (await reply.json()) as Readonly<Record<string, string>>
  const token = answer[kind]
  if (token === undefined) throw new Error(`no ${kind}: ${reply.status} ${JSON.stringify(answer)}`)
  return token
}
