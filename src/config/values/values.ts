export * from './address.ts'
export * from './reference.ts'
export * from './target-url.ts'
export * from './units.ts'
