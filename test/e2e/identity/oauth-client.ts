import assert from 'node:assert/strict'
import {
  Client as Client2,
  StreamableHTTPClientTransport as Transport2,
  UnauthorizedError as Unauthorized2,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { AnyClient } from '../setup/clients.ts'
import { modern } from './eras.ts'
import { type Person, redirectUrl } from './realm.ts'
import { type SignedIn, signIn } from './sign-in.ts'

/** What a program has from before. */
export interface Known {
  /** Of whom it has that. */
  readonly issuer: string
  readonly clientId: string
  readonly token?: { readonly access_token: string; readonly token_type: string; readonly scope: string }
}

/** How a program came in that knew nothing but the endpoint's URL. */
export interface Login {
  /** Connected. The caller closes it. */
  readonly client: AnyClient
  /** Where it sent its person. */
  readonly authorizationUrl: URL
  readonly pages: SignedIn['pages']
  readonly clientId: string
}

/** Programs that log in by the SDKs' own OAuth clients. One that has nothing from before registers. */
export const programs: Readonly<Record<string, (url: string, person: Person, known?: Known) => Promise<Login>>> = {
  'TypeScript SDK 1': async (url, person, known) => {
    const store = createStore(known)
    const connect = async (transport: Transport1) => {
      const client = new Client1({ name: 'desk', version: '1' })
      await client.connect(transport as Transport)
      return client
    }
    const first = new Transport1(new URL(url), { authProvider: store.provider })
    await assert.rejects(connect(first), Unauthorized1)
    const signedIn = await store.signIn(person)
    await first.finishAuth(signedIn.callback.searchParams.get('code') ?? '')
    return store.login(await connect(new Transport1(new URL(url), { authProvider: store.provider })), signedIn)
  },
  'TypeScript SDK 2, legacy': program2('legacy'),
  'TypeScript SDK 2, modern': program2(modern),
}

function program2(mode: VersionNegotiationMode) {
  return async (url: string, person: Person, known?: Known): Promise<Login> => {
    const store = createStore(known)
    const connect = async (transport: Transport2) => {
      const client = new Client2({ name: 'desk', version: '1' }, { versionNegotiation: { mode } })
      await client.connect(transport)
      return client
    }
    const first = new Transport2(new URL(url), { authProvider: store.provider })
    await assert.rejects(connect(first), Unauthorized2)
    const signedIn = await store.signIn(person)
    await first.finishAuth(signedIn.callback.searchParams)
    return store.login(await connect(new Transport2(new URL(url), { authProvider: store.provider })), signedIn)
  }
}

/** What a program keeps of its login, in memory, in the shape that both SDKs ask for. */
function createStore(known: Known | undefined) {
  const state = crypto.randomUUID()
  let client: unknown = known === undefined ? undefined : { client_id: known.clientId, issuer: known.issuer }
  let tokens: unknown = known?.token === undefined ? undefined : { ...known.token, issuer: known.issuer }
  let discovery: unknown
  let verifier = ''
  let authorizationUrl: URL | undefined
  const provider = {
    redirectUrl,
    clientMetadata: {
      redirect_uris: [redirectUrl],
      client_name: 'desk',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    state: () => state,
    clientInformation: () => client as never,
    saveClientInformation(saved: unknown) {
      client = saved
    },
    tokens: () => tokens as never,
    saveTokens(saved: unknown) {
      tokens = saved
    },
    redirectToAuthorization(url: URL) {
      authorizationUrl = url
    },
    saveCodeVerifier(saved: string) {
      verifier = saved
    },
    codeVerifier: () => verifier,
    discoveryState: () => discovery as never,
    saveDiscoveryState(saved: unknown) {
      discovery = saved
    },
  }
  return {
    provider,
    async signIn(person: Person): Promise<SignedIn> {
      assert.ok(authorizationUrl !== undefined, 'nobody was asked to log in')
      const signedIn = await signIn(authorizationUrl, person)
      assert.equal(signedIn.callback.searchParams.get('state'), state)
      return signedIn
    },
    login(connected: AnyClient, { pages }: SignedIn): Login {
      assert.ok(authorizationUrl !== undefined)
      return { client: connected, authorizationUrl, pages, clientId: (client as { readonly client_id: string }).client_id }
    },
  }
}
