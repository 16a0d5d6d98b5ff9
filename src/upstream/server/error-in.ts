import { type Message, member, members, type Refusal, refuse, stringOf, textOf } from '../../mcp/mcp.ts'

/** The JSON-RPC error in a server's response to a request of the gateway's own, if there is one. Its text is only for operators. */
export function errorIn({ text, top }: Message, method: string): Refusal | undefined {
  const error = member(top, 'error')
  if (error === undefined) return undefined
  const list = error.type === 'object' ? members(text, error.start, error.end) : []
  const [sent, says] = [member(list, 'code'), member(list, 'message')]
  const number = sent?.type === 'number' ? Number(textOf(text, sent)) : Number.NaN
  const code = Number.isSafeInteger(number) ? number : -32603
  const message = says === undefined ? undefined : stringOf(text, says)
  return refuse(code === -32601 ? 'method-unknown' : 'upstream-invalid', `answered ${method} with error ${code}`, {
    remedy: message === undefined ? undefined : `it says: ${message}`,
  })
}
