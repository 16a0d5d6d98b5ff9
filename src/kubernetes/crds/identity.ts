import type { Raw } from '../objects/objects.ts'
import { group, kind, name, port } from './fields.ts'
import { anything, exactlyOne, list, object, text } from './schema.ts'

/** Who callers are and what they may do, as agentgateway's objects say it. */

const notDone = 'Not supported yet: what it holds for is closed.'
const mode = text(
  'Strict, as if not written: callers must show one. Optional: callers without any are let in as anonymous. Permissive is not supported: what it holds for is closed.',
  { values: ['Strict', 'Optional', 'Permissive'] },
)
const audiences = list(
  'A token must be for one of these. Needed: without any, what the policy holds for is closed.',
  { type: 'string' },
  { max: 64 },
)

const remote = object(
  'Where the issuer publishes them.',
  {
    url: text('Their URL.', { max: 2048 }),
    backendRef: object(
      'The Service that has them, which is asked by plain HTTP.',
      {
        group: group('Its group; empty.'),
        kind: kind('Its kind: Service.'),
        name: name('Its name.'),
        namespace: text("Its namespace. Not written: this object's. Another one must hold a ReferenceGrant for it.", { max: 63 }),
        port: port('Its port.'),
      },
      { required: ['name'] },
    ),
    jwksPath: text('The path of the keys there, beside backendRef.', { max: 1024 }),
    cacheDuration: text('How old they may be before they are asked for again, such as 10m.', { max: 64 }),
  },
  { rules: [exactlyOne(['backendRef', 'url'], 'write either backendRef or url: where the keys are')] },
)

const location = anything('Where it is sent. Usual places alone are read: the header Authorization, after "Bearer ".')
const provider = text("Whose authorization server it is, where clients need help with that one's ways.", {
  values: ['Auth0', 'Authentik', 'Descope', 'Entra', 'Keycloak', 'Okta'],
})
const toldToClients = {
  provider,
  clientId: text('A public client that is registered there, for clients that can not register themselves.', { max: 512 }),
  resourceMetadata: anything('What clients are told: resource, scopesSupported, resourceName, resourceDocumentation.'),
}

export const jwtAuthentication = object(
  'Callers show a JSON Web Token.',
  {
    mode,
    providers: list(
      'Who may have issued it.',
      object(
        'One issuer.',
        {
          issuer: text('Its name, as in the claim iss.', { max: 256 }),
          audiences,
          jwks: object(
            'Its public keys.',
            { remote, inline: text('The keys themselves, as JSON.', { max: 65_536 }) },
            { rules: [exactlyOne(['remote', 'inline'], 'write either remote or inline')] },
          ),
        },
        { required: ['issuer', 'jwks'] },
      ),
      { min: 1, max: 64 },
    ),
    location,
    mcp: object('What MCP clients are told about signing in.', toldToClients),
  },
  { required: ['providers'] },
)

export const apiKeyAuthentication = object(
  'Callers show a key.',
  {
    mode,
    secretRef: object(
      'The Secret of the same namespace whose entries are the keys: each is a key, or JSON with key or keyHash, and metadata.',
      {
        name: name('Its name.'),
        group: text('Its group; empty.', { min: 0 }),
        kind: text('Its kind: Secret.', { min: 0, max: 63 }),
      },
      { required: ['name'] },
    ),
    secretSelector: anything(notDone),
    configMapSelector: anything(notDone),
    location,
  },
  {
    rules: [
      exactlyOne(
        ['secretRef', 'secretSelector', 'configMapSelector'],
        'write one of secretRef, secretSelector, configMapSelector: where the keys are',
      ),
    ],
  },
)

export function authorization(description: string): Raw {
  return object(
    description,
    {
      action: text('Allow, as if not written: one of all that allow must hold. Deny: none may hold. Require: all must hold.', {
        values: ['Allow', 'Deny', 'Require'],
      }),
      policy: object(
        'The rules.',
        {
          matchExpressions: list('Expressions (CEL), each a rule of its own.', text('An expression.', { max: 16_384 }), {
            min: 1,
            max: 256,
          }),
        },
        { required: ['matchExpressions'] },
      ),
    },
    { required: ['policy'] },
  )
}

/** The `mcp` of a policy's `backend` and of a backend's own `policies`. */
export const mcpPolicies = object('Rules for MCP.', {
  authorization: authorization('What callers may see and call, over tools, prompts and resources: what they may not, they do not see.'),
  authentication: object('Callers show a JSON Web Token; traffic.jwtAuthentication does the same for routes and Gateways.', {
    mode,
    issuer: text('Who issues tokens, as in the claim iss.', { max: 256 }),
    audiences,
    jwks: remote,
    clientSecretRef: anything(notDone),
    ...toldToClients,
  }),
  guardrails: anything(notDone),
})
