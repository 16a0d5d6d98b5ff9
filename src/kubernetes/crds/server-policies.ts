import type { Raw } from '../objects/objects.ts'
import { duration, name } from './fields.ts'
import { mcpPolicies } from './identity.ts'
import { anything, atMostOne, exactlyOne, list, object, text } from './schema.ts'

/** How servers are reached, as agentgateway's objects say it: of a policy's `backend`, and of the `policies` of backends and targets. */

const credentialKinds = ['key', 'secretRef', 'passthrough', 'aws', 'azure', 'gcp', 'oauthTokenExchange', 'crossAppAccess', 'jwtSign']
const later = 'Not supported yet: the server is not called.'

const secretRef = (description: string): Raw =>
  object(
    description,
    {
      name: name('The Secret, of the same namespace.'),
      key: text('Its key. Not written: Authorization.'),
      group: text('Its group; empty.', { min: 0 }),
      kind: text('Its kind: Secret.', { min: 0, max: 63 }),
    },
    { required: ['name'] },
  )

const location = (description: string): Raw =>
  object(
    description,
    {
      header: object(
        'A header.',
        { name: text('Its name.', { max: 256 }), prefix: text('What stands before the credential, such as "Bearer ".', { max: 256 }) },
        { required: ['name'] },
      ),
      queryParameter: anything(later),
      cookie: anything(later),
    },
    { rules: [exactlyOne(['header', 'queryParameter', 'cookie'], 'write one place: header, queryParameter or cookie')] },
  )

const credential = object(
  'One more credential.',
  { location: location('Where it goes.'), secretRef: secretRef('Where it comes from.') },
  { required: ['location', 'secretRef'] },
)

const auth = object(
  'What is shown to the server.',
  {
    key: text('The credential itself. A Secret is the better place for it.', { min: 0, max: 2048 }),
    secretRef: secretRef('The Secret that holds the credential.'),
    location: location('Where the credential goes. Not written: the header Authorization, after "Bearer ".'),
    credentials: list('Further credentials, each in its own place.', credential, { min: 1, max: 8 }),
    ...Object.fromEntries(credentialKinds.slice(2).map((kind) => [kind, anything(later)])),
  },
  { rules: [atMostOne(credentialKinds, `write at most one of ${credentialKinds.join(', ')}; more go into credentials`)] },
)

const reference = (description: string, kinds?: readonly string[]): Raw =>
  object(
    description,
    {
      name: name('Its name; it is of the same namespace.'),
      kind: text(kinds === undefined ? 'Its kind: Secret.' : `Its kind. Not written: ${kinds[0]}.`, {
        min: 0,
        ...(kinds ? { values: kinds } : {}),
      }),
      ...(kinds === undefined ? { group: text('Its group; empty.', { min: 0 }) } : {}),
    },
    { required: ['name'] },
  )

const tls = object(
  "TLS towards the server. Empty: the system's authorities, and the host's own name.",
  {
    sni: text('The name that is asked for and that the certificate must carry.'),
    caCertificateRefs: list(
      'Authorities to trust instead: the key ca.crt of this ConfigMap or Secret.',
      reference('Where they are.', ['ConfigMap', 'Secret']),
      { max: 1 },
    ),
    mtlsCertificateRef: list('Our own certificate: the keys tls.crt and tls.key of this Secret.', reference('Where it is.'), { max: 1 }),
    insecureSkipVerify: text("All: the server's certificate is not checked. Hostname is not supported.", { values: ['All', 'Hostname'] }),
  },
  {
    rules: [
      {
        rule: "!has(self.insecureSkipVerify) || self.insecureSkipVerify != 'All' || !has(self.caCertificateRefs)",
        message: 'insecureSkipVerify: All checks nothing, so caCertificateRefs would be of no use: leave one of them out',
      },
    ],
  },
)

export const serverPolicies: Raw = {
  tcp: object('The connection.', { connectTimeout: duration('How long connecting may take, such as 5s.') }),
  tls,
  http: object('Requests.', { requestTimeout: duration('How long a call may take, such as 30s.') }),
  auth,
}

/** The members of a policy's `backend`, and of an AgentgatewayBackend's `policies`. */
export const backendPolicies: Raw = {
  ...serverPolicies,
  mcp: mcpPolicies,
  ai: anything('Not served by mcplex.'),
}
