/** The candidate that a word becomes with the fewest edits (insert, delete, replace, swap neighbours); undefined where none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
  const best = ranked.reduce<(typeof ranked)[number] | undefined>(
    (least, next) => (least && least.edits <= next.edits ? least : next),
    undefined,
  )
  return best !== undefined && best.edits <= Math.max(2, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

function editsBetween(from: string, to: string): number {
  // A word much longer than every candidate is near to none; this also bounds the table.
  if (Math.abs(from.length - to.length) > 8) return from.length + to.length
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? 0
  for (let row = 1; row <= from.length; row++) {
    rows[row] = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const edits = Math.min(cell(row - 1, column) + 1, cell(row, column - 1) + 1, cell(row - 1, column - 1) + (isSame ? 0 : 1))
      rows[row]?.push(isSwap ? Math.min(edits, cell(row - 2, column - 2) + 1) : edits)
    }
  }
  return cell(from.length, to.length)
}
