export { bytesWithin, type Size, sizeInside, sizeWithin } from './document-bytes.ts'
export { isAgentOf, isServerOf } from './document-members.ts'
export { documentErrors, escapeTexts, faultOf, fragmentErrors, readDocument, sentenceOf } from './fragment-errors.ts'
