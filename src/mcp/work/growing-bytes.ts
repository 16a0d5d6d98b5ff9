const leastBytes = 1024
const mostBytes = 256 * 1024
/** Fewer bytes are copied faster one by one. */
const fewBytes = 48

/** Bytes that come in pieces, held in blocks of their own: what is held is about as large as what came. */
export class GrowingBytes {
  length = 0
  /** The last one is not full; `#used` of it is. */
  #blocks: Buffer[] = []
  #last: Buffer | undefined
  #used = 0

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let at = start
    while (at < end) {
      const block = this.#last !== undefined && this.#used < this.#last.length ? this.#last : this.#grow(end - at)
      const count = Math.min(end - at, block.length - this.#used)
      if (count > fewBytes) block.set(bytes.subarray(at, at + count), this.#used)
      else for (let i = 0; i < count; i++) block[this.#used + i] = bytes[at + i] ?? 0
      this.#used += count
      at += count
    }
    this.length += end - start
  }

  /** Gives all of them in one buffer, which stands until `release`, and holds nothing any more. */
  take(): Buffer {
    const [only] = this.#blocks
    const all = only === undefined ? nothing : this.#blocks.length === 1 ? only.subarray(0, this.#used) : this.#join()
    this.#blocks = []
    this.#last = undefined
    this.length = 0
    return all
  }

  clear(): void {
    for (const block of this.#blocks) release(block)
    this.#blocks = []
    this.#last = undefined
    this.length = 0
  }

  #grow(needed: number): Buffer {
    const block = Buffer.allocUnsafeSlow(Math.min(mostBytes, Math.max(needed, 2 * (this.#last?.length ?? 0), leastBytes)))
    this.#blocks.push(block)
    this.#last = block
    this.#used = 0
    return block
  }

  #join(): Buffer {
    const all = Buffer.allocUnsafeSlow(this.length)
    let at = 0
    for (const block of this.#blocks) {
      const count = Math.min(block.length, this.length - at)
      all.set(count < block.length ? block.subarray(0, count) : block, at)
      release(block)
      at += count
    }
    return all
  }
}

const nothing = Buffer.alloc(0)

/** Gives back at once, rather than when garbage is collected, the memory of a large buffer that nobody reads any more. */
export function release(bytes: Buffer): void {
  // A transfer to nothing detaches the memory. Small buffers may share theirs with others.
  if (bytes.length >= mostBytes && bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length) bytes.buffer.transfer(0)
}
