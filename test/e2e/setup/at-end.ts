import type { TestContext } from 'node:test'

/** What is to be undone at the end of each running test; a test's entry goes with it. */
const undoings = new WeakMap<TestContext, (() => unknown)[]>()

/** Runs `undo` when the test has ended: what was begun last is undone first, and all is undone even where one of them fails the test. */
export function atEnd(t: TestContext, undo: () => unknown): void {
  const known = undoings.get(t)
  if (known !== undefined) {
    known.push(undo)
    return
  }
  const undos = [undo]
  undoings.set(t, undos)
  t.after(async () => {
    const errors: unknown[] = []
    for (const one of undos.reverse()) {
      try {
        await one()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  })
}
