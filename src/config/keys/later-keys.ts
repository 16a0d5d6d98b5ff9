import type { Command, Cors, CredentialKinds, Peers, Store } from '../model/model.ts'
import { boolean, integer, json, list, map, object, secret, text } from '../schema/schema.ts'
import { addedHeader, duration, headerValueFault, listenAddress, origin, url, words } from './texts.ts'

/** Keys of which all or a part is not supported yet: they are parsed, and refused as `not-supported` with what they will do. */

/** The hint for a key that has no substitute in this version. */
export const comesLater = 'a later version brings it; leave it out'

export const cors = object<Cors>('cors', {
  allowOrigins: { schema: list(origin), about: 'Origins that may call.' },
  allowMethods: { schema: list(words), about: 'Methods that they may use.' },
  allowHeaders: { schema: list(words), about: 'Headers that they may send.' },
  exposeHeaders: { schema: list(words), about: 'Headers that they may read.' },
  allowCredentials: { schema: boolean, about: 'Whether they may send credentials.' },
  maxAge: { schema: integer(0, 86_400), about: 'Seconds for which a preflight holds.' },
})

export const command = object<Command>('command', {
  run: { schema: list(words, { min: 1 }), about: 'Program and arguments; not a shell line.', isRequired: true },
  env: { schema: map(text('variable'), secret('text')), about: 'Its whole environment.', default: {} },
  cwd: { schema: words, about: 'Its working directory.' },
  idle: { schema: duration, about: 'It is stopped after this long without a call.', default: '10m' },
  restarts: {
    schema: object<NonNullable<Command['restarts']>>('restarts', {
      from: { schema: duration, about: 'Pause before the first restart.', default: '100ms' },
      to: { schema: duration, about: 'Longest pause.', default: '30s' },
    }),
    about: 'Pauses between restarts, doubled each time.',
  },
})

export const credentialKinds = object<CredentialKinds>(
  'credentials',
  {
    header: {
      schema: map(addedHeader, secret('text', { fault: headerValueFault })),
      about: 'Headers that go with every request to the server.',
    },
    clientCredentials: {
      schema: json,
      about: 'A token of our own: `tokenUrl`, `clientId`, `clientSecret` or `privateKey`, `scopes`, `resource`.',
      later: comesLater,
    },
    exchange: {
      schema: json,
      about: "The caller's token exchanged (RFC 8693): `tokenUrl`, `clientId`, `clientSecret`, `audience`, …",
      later: comesLater,
    },
    entra: {
      schema: json,
      about: 'On behalf of the caller by Microsoft Entra: `tenant`, `clientId`, `clientSecret`, `scopes`.',
      later: comesLater,
    },
    idJag: {
      schema: json,
      about: 'An identity assertion: `identityProvider`, `authorizationServer`, `audience`, `scopes`.',
      later: comesLater,
    },
    login: { schema: json, about: "The user's own login at the server: `issuer` or `metadata`, `clientId`, `scopes`.", later: comesLater },
    passthrough: { schema: boolean, about: "The caller's own credential, as it came.", later: comesLater },
    aws: { schema: json, about: 'Requests signed for AWS: `region`, `service`.', later: comesLater },
    google: { schema: json, about: 'A Google identity token: `audience`.', later: comesLater },
  },
  [
    {
      kind: 'one-of',
      keys: ['header', 'clientCredentials', 'exchange', 'entra', 'idJag', 'login', 'passthrough', 'aws', 'google'],
    },
  ],
)

export const peers = object<Peers>('peers', {
  listen: { schema: listenAddress, about: 'Where other replicas reach this one.', default: ':15001' },
  find: {
    schema: object<Peers['find']>(
      'find',
      {
        dns: { schema: words, about: 'A name whose addresses are the replicas.' },
        list: { schema: list(words), about: 'The replicas by address.' },
      },
      [{ kind: 'one-of', keys: ['dns', 'list'] }],
    ),
    about: 'How replicas find each other.',
    isRequired: true,
  },
})

export const store = object<Store>(
  'store',
  {
    redis: { schema: secret('URL'), about: 'A Redis server.' },
    directory: { schema: words, about: 'A directory of this machine.' },
  },
  [{ kind: 'one-of', keys: ['redis', 'directory'] }],
)

export const traces = object<{ otlp: string; sample: number }>('traces', {
  otlp: { schema: url, about: 'Where spans are sent.', isRequired: true },
  sample: { schema: { kind: 'number', isInteger: false, min: 0, max: 1 }, about: 'Share of requests that are traced.', default: 1 },
})
