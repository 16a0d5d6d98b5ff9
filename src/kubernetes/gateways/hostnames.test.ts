import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { areIntersecting } from './hostnames.ts'

/** Gateway API, HTTPRouteSpec.hostnames and Listener.hostname. */
describe('two hostnames have a host in common', () => {
  const cases: readonly (readonly [string | undefined, string | undefined, boolean])[] = [
    [undefined, undefined, true],
    [undefined, 'a.example', true],
    [undefined, '*.example', true],
    ['test.example.com', 'test.example.com', true],
    ['test.example.com', 'other.example.com', false],
    ['test.example.com', '*.example.com', true],
    ['test.example.com', '*.com', true],
    ['test.example.com', '*.test.example.com', false],
    ['*.example.com', '*.example.com', true],
    ['*.example.com', '*.foo.example.com', true],
    ['*.example.com', 'foo.test.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'test.example.net', false],
    ['*.example.com', '*.example.net', false],
    ['*.ample.com', '*.example.com', false],
  ]
  for (const [one, other, expected] of cases) {
    it(`${one ?? 'any'} and ${other ?? 'any'}: ${expected}`, () => {
      assert.equal(areIntersecting(one, other), expected)
      assert.equal(areIntersecting(other, one), expected)
    })
  }
})
