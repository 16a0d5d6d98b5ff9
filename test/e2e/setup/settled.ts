const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const subscriptionId = 'io.modelcontextprotocol/subscriptionId'

/** The answer without what differs from one time to the next: times, ids of sessions and subscriptions, and the random choices of server-everything. */
export function settled(value: unknown): unknown {
  if (typeof value === 'string') return settledText(value)
  if (Array.isArray(value)) return value.map(settled)
  if (typeof value !== 'object' || value === null) return value
  if ('data' in value && 'level' in value && /level.message/.test(String(value.data))) return { simulated: 'log message' }
  const pairs = Object.entries(value).map(([key, inner]) => [key, settledMember(key, inner)])
  return withoutSender(Object.fromEntries(pairs))
}

function settledMember(key: string, value: unknown): unknown {
  if (key === 'blob') return settledText(Buffer.from(String(value), 'base64').toString('latin1'))
  if (key === subscriptionId) return 'of its own'
  if (key === 'elicitationId') return String(value).replace(uuid, 'random')
  return settled(value)
}

function settledText(text: string): string {
  return text.replace(/created at .*/, 'created at some time').replace(/(?<=session )\S+/, (id) => id.replace(uuid, 'of its own'))
}

/** Each hop names itself. */
function withoutSender({ _meta: meta, ...value }: Record<string, unknown>): Record<string, unknown> {
  if (typeof meta !== 'object' || meta === null) return meta === undefined ? value : { ...value, _meta: meta }
  const rest = Object.entries(meta).filter(([key]) => key !== 'io.modelcontextprotocol/serverInfo')
  return rest.length === 0 ? value : { ...value, _meta: Object.fromEntries(rest) }
}
