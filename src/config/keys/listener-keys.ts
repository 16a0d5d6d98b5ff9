import type { Listener, ListenerTls } from '../model/model.ts'
import { boolean, choice, integer, list, object, secret } from '../schema/schema.ts'
import { cors } from './later-keys.ts'
import { policiesHere } from './policy-keys.ts'
import { hostHeader, hostname, ipAddress, name, origin, words } from './texts.ts'

const listenerTls = object<ListenerTls>('listenerTls', {
  certificates: {
    schema: list(
      object<ListenerTls['certificates'][number]>('certificate', {
        cert: { schema: words, about: 'The certificate and its chain, as PEM text.', isRequired: true },
        key: { schema: secret('PEM'), about: 'Its private key, as PEM text.', isRequired: true },
      }),
      { min: 1 },
    ),
    about: 'What the listener shows.',
    isRequired: true,
  },
  clientCa: { schema: words, about: "Authorities of clients' certificates, as PEM text." },
})

/** The keys of a listener. */
export const listener = object<Listener>('listener', {
  name: { schema: name, about: 'Its name, for routes, logs and metrics.', isRequired: true },
  address: { schema: ipAddress, about: 'The IP address to bind; `0.0.0.0` is every one.', default: '127.0.0.1' },
  port: { schema: integer(0, 65_535), about: 'The port to bind; 0 takes any that is free.', isRequired: true },
  protocol: { schema: choice(['HTTP', 'HTTPS']), about: 'What it speaks.', default: 'HTTP' },
  hostname: { schema: hostname, about: 'Only requests for this host; `*.example.com` is any below.' },
  tls: { schema: listenerTls, about: 'Its certificates, with `protocol: HTTPS`.' },
  hosts: {
    schema: list(hostHeader),
    about: 'Accepted `Host`s. Not written: on loopback its own names, elsewhere the hostnames of listener and routes, or any.',
  },
  origins: { schema: list(origin), about: 'Accepted `Origin`s of browsers. Not written: on loopback those of loopback, elsewhere none.' },
  cors: { schema: cors, about: 'Cross-origin rules of your own.', later: 'list the pages under `origins`; a later version brings it' },
  insecure: { schema: boolean, about: 'Open to other machines without authentication.', default: false },
  policies: policiesHere('what comes in here'),
})
