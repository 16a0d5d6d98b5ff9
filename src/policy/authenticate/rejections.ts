/** What can be wrong with a token, in words for its sender: ASCII without quotes, and nothing of the token itself. */
export const rejections = {
  malformed: 'it is neither a JWT nor a key that is known here',
  'too-long': 'it is longer than 16 KiB',
  unreadable: 'its header or its claims are not JSON that all would read alike',
  encrypted: 'it is an encrypted token (JWE): mcplex takes signed ones',
  algorithm: 'it is signed with an algorithm that is not taken here',
  extension: 'its header asks for an extension that mcplex does not know',
  'not-access-token': 'it is not an access token: its type is another',
  'issuer-unknown': 'its issuer is not trusted here',
  audience: 'it is for another audience',
  'no-expiry': 'it has no usable time of expiry',
  expired: 'it has expired: get a new one',
  'not-yet-valid': 'it is not valid yet',
  'no-subject': 'it does not say whom it is about',
  actors: 'it does not say plainly who acts for whom',
  bound: 'it is bound to a key of its holder, which a bearer token is not: get one without that',
  'key-unknown': 'its issuer has no such key',
  signature: 'its signature does not fit',
} as const satisfies Readonly<Record<string, string>>

export type Rejection = keyof typeof rejections
