import type { Caller, ClientCertificate } from '../../mcp/mcp.ts'
import { callerId } from './caller-id.ts'

/** How many callers are remembered; beyond it the oldest is forgotten. */
const maxCallers = 10_000

/** Returns the caller that a certificate names: the same object for the same certificate, for as long as it is remembered. */
export function createCertificateCallers(): (certificate: ClientCertificate) => Caller {
  const callers = new Map<string, Caller>() // by fingerprint, up to maxCallers
  return (certificate) => {
    const known = callers.get(certificate.fingerprint)
    if (known !== undefined) return known
    const caller = callerOf(certificate)
    if (callers.size >= maxCallers) for (const oldest of callers.keys()) if (callers.delete(oldest)) break
    callers.set(certificate.fingerprint, caller)
    return caller
  }
}

function callerOf({ identity, issuer, expiresAtMs }: ClientCertificate): Caller {
  const id = callerId('certificate', ':', identity)
  return { kind: 'certificate', id, subject: identity, issuer, actors: [], claims: new Map(), expiresAtMs }
}
