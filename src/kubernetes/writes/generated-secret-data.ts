import { isRaw, type Raw, rawAt } from '../objects/objects.ts'

/** Makes random bytes. */
export type RandomBytes = (size: number) => Buffer

/**
 * The generated members that a Gateway's Secret lacks, as members of its `data`: the keys that seal sessions and the token of the admin
 * listener, which are random and made once.
 */
export function generateMissingData(secret: unknown, random: RandomBytes): Raw {
  const data = rawAt(secret, 'data')
  const made = Object.entries(makers).filter(([name]) => typeof data[name] !== 'string' || data[name] === '')
  return Object.fromEntries(made.map(([name, make]) => [name, Buffer.from(make(random)).toString('base64')]))
}

/** The `data` of a Secret without these generated members, so that applying it does not own them. */
export function withoutGeneratedData(data: unknown): Raw {
  return isRaw(data) ? Object.fromEntries(Object.entries(data).filter(([name]) => !Object.hasOwn(makers, name))) : {}
}

const makers: Readonly<Record<string, (random: RandomBytes) => string>> = {
  'sessions.keys': (random) => JSON.stringify([{ id: 'a', secret: random(32).toString('base64') }]),
  'admin.token': (random) => random(32).toString('base64url'),
}
