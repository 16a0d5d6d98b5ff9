import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAtLeast, isLogLevel, logLevels } from './log-level.ts'

test('the levels are those of RFC 5424, least first', () => {
  assert.deepEqual(logLevels, ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'])
})

test('nothing else is a level', () => {
  for (const level of logLevels) assert.ok(isLogLevel(level), level)
  for (const word of [undefined, '', 'DEBUG', 'Info', 'warn', 'fatal', 'trace', 'length', 'toString', ' info'])
    assert.ok(!isLogLevel(word), String(word))
})

test('a message is shown to who asked for its level or a lesser one', () => {
  for (const [i, level] of logLevels.entries())
    for (const [j, wanted] of logLevels.entries()) assert.equal(isAtLeast(level, wanted), i >= j, `${level} to who wants ${wanted}`)
})

test('a message of no level that is known is shown to nobody', () => {
  for (const level of [undefined, '', 'warn', 'EMERGENCY']) assert.ok(!isAtLeast(level, 'debug'), String(level))
})
