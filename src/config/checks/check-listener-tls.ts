import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Config, Listener, ListenerTls } from '../model/model.ts'
import type { Path } from '../tree/tree.ts'
import { formatAddress } from '../values/values.ts'
import type { Report } from './checking.ts'

/**
 * Checks how listeners speak HTTPS, as far as the document itself shows it; certificates and keys behind references are read when they are
 * used.
 */
export function checkListenerTls(config: Config, report: Report): void {
  const sockets = new Map<string, Listener[]>()
  for (const [index, listener] of config.listeners.entries()) {
    const here: Path = ['listeners', index]
    const { protocol, tls } = listener
    if (protocol === 'HTTPS' && tls === undefined)
      report('missing-key', [...here, 'tls'], 'value', '`protocol: HTTPS` needs `tls` beside it', 'write its certificates and keys there')
    if (protocol === 'HTTP' && tls !== undefined)
      report('needs-key', [...here, 'tls'], 'key', '`tls` has no effect without `protocol: HTTPS`', 'write `protocol: HTTPS` beside it')
    if (tls !== undefined) checkTexts(tls, [...here, 'tls'], report)
    const address = formatAddress({ host: listener.address, port: listener.port })
    const others = sockets.get(address) ?? []
    checkNeighbours(listener, others, address, here, report)
    sockets.set(address, [...others, listener])
  }
}

/**
 * Checks listeners that share an address and port, and so a socket: TLS or not is decided by the first byte, and the listener by the server
 * name.
 */
function checkNeighbours(listener: Listener, others: readonly Listener[], address: string, here: Path, report: Report): void {
  const [first] = others
  if (first !== undefined && first.protocol !== listener.protocol) {
    const text = `listener \`${first.name}\` speaks ${first.protocol} at ${address}`
    report('conflicting-keys', [...here, 'protocol'], 'value', text, 'take another port, or the same protocol')
    return
  }
  const same = others.find(({ hostname }) => hostname === listener.hostname)
  // Equal places are reported elsewhere, except for port 0, where both get the same free port.
  if (listener.port === 0 && same !== undefined && JSON.stringify(same.tls) !== JSON.stringify(listener.tls)) {
    const text = `listener \`${same.name}\` has the same address and hostname, and other certificates`
    report('conflicting-keys', [...here, 'tls'], 'value', text, 'give both different hostnames, or the same `tls`')
  }
}

function checkTexts({ certificates, clientCa }: ListenerTls, here: Path, report: Report): void {
  for (const [index, { cert, key }] of certificates.entries()) {
    const place = [...here, 'certificates', index]
    const bad = (name: string, text: string, hint: string) => report('bad-value', [...place, name], 'value', text, hint)
    const certificate = certificateIn(cert)
    if (certificate === undefined)
      bad('cert', 'the value is not a certificate as PEM text', 'write -----BEGIN CERTIFICATE-----, or ${file:PATH} of such a file')
    if (key.includes('$')) continue
    const privateKey = privateKeyIn(key)
    if (privateKey === undefined) bad('key', 'the value is not a private key as PEM text', 'write it without a passphrase')
    else if (certificate?.checkPrivateKey(privateKey) === false)
      bad('key', 'the key is not the key of its certificate', 'correct one of the two')
  }
  if (clientCa === undefined) return
  const authorities = (clientCa.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(certificateIn)
  const path = [...here, 'clientCa']
  if (authorities.length === 0 || authorities.includes(undefined))
    report(
      'bad-value',
      path,
      'value',
      'the value is not a list of certificates as PEM text',
      'write ${file:PATH} of a file that holds them',
    )
  else if (!authorities.some((one) => one?.checkIssued(one)))
    report('bad-value', path, 'value', 'none of these authorities is a root', 'add the certificate of the authority that signed them')
}

function certificateIn(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

function privateKeyIn(text: string): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}
