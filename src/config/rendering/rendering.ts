export { jsonSchema } from './json-schema.ts'
export { configurationPage, problemsPage } from './reference-pages.ts'
export { problemsJson, type RenderOptions, renderProblems } from './render-problems.ts'
