export { nearest } from './nearest.ts'
export * from './problem.ts'
