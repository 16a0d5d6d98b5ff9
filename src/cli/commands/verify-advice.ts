import type { ChainFault } from '../../observe/observe.ts'

const advice: Readonly<Record<ChainFault['kind'], string>> = {
  altered:
    'where `audit.key` was changed, give the older key too (--key-file once more); else look the record up in another copy, such as a second sink',
  doubled: 'give each file once; a URL may have got a batch twice (keep one of each `seq`); else look who can write the file',
  inserted: 'a line that mcplex did not write: look who can write the file, and whether it has another writer',
  'new-chain': 'verify this file by itself, and the ones before it by themselves',
  removed: 'give the missing files too, oldest first; where they are gone on purpose, give --after the digest of their last record',
  reordered: 'give the files in the order in which they were written, oldest first',
  replaced:
    'look in the logs for a second process that wrote to the file, and give each a file of its own; else look the record up in another copy',
  torn: "the end of a process or a full disk cuts a line off, and the next start says so in its log; else compare the line with another copy's",
  unkeyed: 'look when `audit.key` left the configuration, and put it back: what was written without it proves nothing',
  unproven: 'give the key: --key-file FILE, with `audit.key` of the configuration',
}

/** What to do about the faults that were found, one line for each kind; for a good chain, how to keep it verifiable. */
export function adviceFor(faults: readonly ChainFault[], digest: string | undefined): readonly string[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))]
  if (kinds.length > 0) return kinds.map((kind) => `${kind}: ${advice[kind]}`)
  if (digest === undefined) return []
  const kept = 'keep the last digest elsewhere, and look later whether it is still here: a chain does not show that its end was cut off'
  return digest.startsWith('hmac-') ? [kept] : [kept, 'set `audit.key`, so that nobody else can make the records anew']
}
