export { configurationPage } from './configuration-page.ts'
export { jsonSchema } from './json-schema.ts'
export { problemsJson, type RenderOptions, renderProblems } from './render-problems.ts'
