import { BlockList, isIP } from 'node:net'

/** A range of addresses, such as 10.0.0.0/8. */
export class AddressRange {
  readonly #list = new BlockList()

  /** undefined: the text names no range. */
  static read(text: string): AddressRange | undefined {
    const [, address = '', spelled = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
    const family = isIP(address)
    const bits = Number(spelled)
    if (family === 0 || spelled === '' || bits > (family === 4 ? 32 : 128)) return undefined
    const range = new AddressRange()
    range.#list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
    return range
  }

  /** Whether it holds an address; undefined: the text is no address. */
  has(address: string): boolean | undefined {
    const family = isIP(address)
    return family === 0 ? undefined : this.#list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}
