export * from './shape.ts'
export { dropDefaults, fillDefaults, mapTexts } from './walk.ts'
