import type { YAMLParseError } from 'yaml'

interface Words {
  readonly text: string
  readonly hint: string
}

const words: Readonly<Partial<Record<YAMLParseError['code'], Words>>> = {
  TAB_AS_INDENT: { text: 'a line is indented with a tab', hint: 'indent with spaces: YAML allows no tabs there' },
  BAD_INDENT: {
    text: 'this line is not indented as those it belongs to',
    hint: 'give all keys of one map the same indentation, with spaces',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    text: 'a value holds what looks like a second `key:`',
    hint: 'put the value in quotes if it holds `: `; begin a map on a line of its own, with one indentation for all of its keys',
  },
  BLOCK_IN_FLOW: {
    text: 'a value within { } or [ ] holds what looks like a `key:` or list of its own',
    hint: 'put the value in quotes if it holds `: `; write what is within with braces and commas too, or all of it on lines of their own',
  },
  MISSING_CHAR: {
    text: 'something is missing here: a closing bracket, a `:`, a comma or a space',
    hint: 'look at the brackets and keys here and in the lines before',
  },
  MULTILINE_IMPLICIT_KEY: { text: 'a key goes over several lines', hint: 'is a `:` missing, or a quote left open in a line before?' },
  MULTIPLE_DOCS: { text: 'a second document begins here', hint: 'a file holds one configuration: leave out this `---` and what follows' },
  BAD_SCALAR_START: { text: 'a value can not begin with this character', hint: 'put the value in quotes' },
  BAD_DQ_ESCAPE: { text: 'this escape is not known', hint: 'in double quotes write \\\\ for a backslash, or use single quotes' },
  UNEXPECTED_TOKEN: { text: 'this can not stand here', hint: 'look at the indentation, quotes and brackets here and in the line before' },
}

const openBrace: Words = {
  text: 'a { or [ is not closed, or what it holds is not indented more than its key',
  hint: 'close it, or indent every line up to the } or ] more than the line where it begins',
}

const openQuote: Words = { text: 'a quote is not closed', hint: 'close it: it may stand some lines before' }

/** What is wrong with a text that is no YAML, in plain words that quote nothing of the text, which may be a secret. */
export function syntaxWords({ code, message }: Pick<YAMLParseError, 'code' | 'message'>): Words {
  if (code === 'BAD_INDENT' && message.startsWith('Flow')) return openBrace
  if (code === 'MISSING_CHAR' && message.startsWith('Missing closing')) return openQuote
  return (
    words[code] ?? {
      text: message.replace(/: ".*$/s, ''),
      hint: 'correct the YAML: look at the indentation and quotes here and in the line before',
    }
  )
}
