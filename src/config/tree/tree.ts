export { isPlain } from './is-plain.ts'
export * from './node.ts'
export * from './path.ts'
export * from './read-document.ts'
