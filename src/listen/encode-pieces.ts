/** Characters of a piece. Over TLS, Node does not see how much of what a socket was given a client has taken: so it is given no more at once. */
export const pieceChars = 64 * 1024

/** A text's UTF-8 bytes in pieces, each of which can be freed once it has been sent. */
export function encodePieces(text: string): Buffer[] {
  const pieces: Buffer[] = []
  for (let start = 0; start < text.length; ) {
    const end = start + pieceChars
    // Between a high surrogate and its low one is no place to cut.
    const isCut = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800
    const to = isCut ? end - 1 : end
    pieces.push(Buffer.from(text.slice(start, to)))
    start = to
  }
  return pieces
}
