import { isDeepStrictEqual } from 'node:util'
import { type ApiClient, type FollowLog, follow } from '../../kube/kube.ts'
import { isPlain } from '../tree/tree.ts'
import { type SecretData, secretDataOf } from './pod-document.ts'

export interface SecretName {
  readonly namespace: string
  readonly name: string
}

export interface SecretHandlers {
  /** Called with each version that differs from the one before. */
  onData(data: SecretData): void
  /** The Secret does not exist, or has no document yet; `why` is a sentence for people. */
  onGone(why: string): void
  /** The API server can't be reached or refuses; `why` is a sentence for people. */
  onUnheard(why: string): void
}

export interface SecretWatch {
  /** No handler is called afterwards. */
  close(): void
}

/** Parses `secret:NAMESPACE/NAME`; undefined where the text is something else. */
export function parseSecretName(text: string): SecretName | undefined {
  const [, namespace, name] = /^secret:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(text) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}

/** Watches one Secret by its name, which is all that a pod has the right to. It keeps the process alive. */
export function watchSecret(
  client: ApiClient,
  { namespace, name }: SecretName,
  handlers: SecretHandlers,
  { log, random }: { readonly log: FollowLog; random(): number },
): SecretWatch {
  let known: SecretData | undefined

  function take(secret: unknown): void {
    const data = secretDataOf(isPlain(secret) ? secret['data'] : undefined)
    // The controller writes the keys before the document.
    if (data['config.json'] === undefined && data['config.json.gz'] === undefined) return lose('the Secret has no configuration yet')
    if (isDeepStrictEqual(data, known)) return
    known = data
    handlers.onData(data)
  }

  function lose(why: string): void {
    known = undefined
    handlers.onGone(why)
  }

  return follow(
    client,
    { group: '', version: 'v1', plural: 'secrets', namespace, name },
    {
      onReset: ([secret]) => (secret === undefined ? lose('there is no such Secret') : take(secret)),
      onSet: take,
      onDelete: () => lose('the Secret was deleted'),
      onState(state, text) {
        if (state === 'interrupted' || state === 'forbidden') handlers.onUnheard(text ?? state)
      },
    },
    { random, log, setTimer },
  )
}

/** A timer that keeps the process alive between two attempts, when nothing else may. */
function setTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
