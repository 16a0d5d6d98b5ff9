export * from './effective-policies.ts'
export * from './types.ts'
