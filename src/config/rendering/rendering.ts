export { configurationPage } from './configuration-page.ts'
export { jsonSchema } from './json-schema.ts'
export { problemsPage } from './problems-page.ts'
export { problemsJson, type RenderOptions, renderProblems } from './render-problems.ts'
