export * from './open-explaining.ts'
export * from './show-explanation.ts'
