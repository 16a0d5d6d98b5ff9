import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProblemCode, parseConfig, problemCodes } from '../config.ts'
import { exampleEnv, problemExamples, runtimeExamples } from './problem-examples.ts'
import { problemsPage } from './problems-page.ts'

function codesOf(document: string): readonly ProblemCode[] {
  const readFile = () => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  return parseConfig(document, { file: 'mcplex.yaml', env: exampleEnv, readFile }).problems.map(({ code }) => code)
}

describe('the page of problems', () => {
  for (const [code, { wrong, right }] of Object.entries(problemExamples)) {
    it(`shows ${code} by a document that has it alone, and by one that has been put right`, () => {
      assert.deepEqual(codesOf(wrong), [code])
      assert.deepEqual(codesOf(right), [])
    })
  }

  it('has a heading for each code, by which links find it', () => {
    const page = problemsPage()
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, code]) => code)
    assert.deepEqual(headings, Object.keys(problemCodes))
    for (const code of headings) assert.ok(page.includes(`](#${code})`), code)
    for (const { says } of Object.values(runtimeExamples)) assert.ok(page.includes(says))
  })
})
