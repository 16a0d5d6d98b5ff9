import { isModernVersion } from '../../era/era.ts'
import { type Head, type Refusal, refuse } from '../../mcp/mcp.ts'

/** Refuses a POST whose `Content-Type` or `Accept` header is not as MCP requires. */
export function checkPost(head: Head): Refusal | undefined {
  const type = head.header('content-type')
  if (type !== 'application/json' && !isJson(type)) return refuse('media-type', 'Content-Type must be application/json')
  if (!acceptsType(head, 'application/json')) return refuse('accept', 'Accept must list application/json and text/event-stream')
  return undefined
}

export function acceptsEvents(head: Head): boolean {
  return acceptsType(head, 'text/event-stream')
}

/** Whether the head of a request without a body names the stateless revision. */
export function isModernHead(head: Head): boolean {
  const version = head.header('mcp-protocol-version')
  return version !== undefined && isModernVersion(version)
}

/** Whether the `Accept` header includes a type (RFC 9110, 12.5.1); a request without that header accepts every type. */
function acceptsType(head: Head, type: string): boolean {
  const accept = head.header('accept')
  if (accept === undefined || (accept.includes(type) && !accept.includes('q=0'))) return true
  const group = `${type.slice(0, type.indexOf('/'))}/*`
  return accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.split(';')
    const wanted = name.trim().toLowerCase()
    if (parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/i.test(parameter))) return false
    return wanted === '*/*' || wanted === group || wanted === type
  })
}

/** Whether it is JSON; a `charset` may only be UTF-8 (RFC 8259, 8.1). */
function isJson(type: string | undefined): boolean {
  if (type === undefined) return false
  const [name = '', ...parameters] = type.toLowerCase().split(';')
  return (
    name.trim() === 'application/json' &&
    parameters.every((parameter) => !/^\s*charset\s*=/.test(parameter) || /=\s*"?utf-8"?\s*$/.test(parameter))
  )
}
