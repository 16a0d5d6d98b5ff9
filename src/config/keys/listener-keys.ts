import type { ListenerTls } from '../model/model.ts'
import { list, object, secret } from '../schema/schema.ts'
import { words } from './texts.ts'

/** The keys of a listener that speaks HTTPS. */
export const listenerTls = object<ListenerTls>('listenerTls', {
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
