const quantity = /^\+?(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/
/** The power of ten that a decimal suffix stands for. */
const powers: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

/**
 * The number that a quantity of Kubernetes says (apimachinery, resource.Quantity), such as `4Mi`, `5e6` or `1500m`; undefined below zero
 * and for anything else.
 */
export function quantityOf(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const [, digits, binary, decimal = '', exponent] = quantity.exec(String(value)) ?? []
  if (digits === undefined) return undefined
  if (binary !== undefined) return Number(digits) * 1024 ** ('KMGTPE'.indexOf(binary.charAt(0)) + 1)
  return Number(`${digits}e${exponent ?? powers[decimal] ?? 0}`)
}
