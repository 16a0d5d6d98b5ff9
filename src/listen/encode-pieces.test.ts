import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePieces, pieceChars } from './encode-pieces.ts'

test('pieces are together what the text is, however its characters fall', () => {
  for (const text of [
    '',
    'a',
    'x'.repeat(pieceChars),
    'é€'.repeat(pieceChars),
    `${'x'.repeat(pieceChars - 1)}😀😀`,
    '😀'.repeat(pieceChars),
  ]) {
    const pieces = encodePieces(text)
    assert.ok(Buffer.concat(pieces).equals(Buffer.from(text)), `${text.length} characters`)
    assert.ok(pieces.every((piece) => piece.length > 0 && piece.length <= 3 * pieceChars))
  }
})

test('an unpaired surrogate is the replacement character wherever it stands', () => {
  const text = `${'x'.repeat(pieceChars - 1)}\ud83d${'y'.repeat(pieceChars)}\ude00`
  assert.equal(Buffer.concat(encodePieces(text)).toString(), text.toWellFormed())
})
