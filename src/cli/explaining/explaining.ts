export { type AskerOptions, askerOf, readSecretFile, unreadable } from './asker.ts'
export * from './open-explaining.ts'
export * from './show-explanation.ts'
