export { type Translation, translate } from './translate.ts'
