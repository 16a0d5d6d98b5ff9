import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { jsonSchema, type Problem, parseConfig } from '../src/config/config.ts'
import { makeAuthority } from '../src/listen/certificate-for-test.ts'

/** Values of the variables that examples speak of; any other is `x`. */
const variables: Readonly<Record<string, string>> = {
  MCPLEX_KEY_A: Buffer.alloc(32).toString('base64'),
  AUDIT_KEY: Buffer.alloc(32).toString('base64'),
}

const authority = makeAuthority('example')
const files: Readonly<Record<string, string>> = { 'tls.crt': '', 'tls.key': '', 'clients.crt': authority.cert }

/** What is wrong with an example's document, where every variable is set, and the files of certificates that it names are there. */
export function problemsOfExample(text: string, file: string): readonly Problem[] {
  const { cert, key } = authority.issue({ alternativeNames: ['DNS:mcp.example.com'], use: 'server' })
  const made: Readonly<Record<string, string>> = { ...files, 'tls.crt': cert, 'tls.key': key }
  const env: Record<string, string> = {}
  for (const [, name = ''] of text.matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)) {
    env[name] = variables[name] ?? (name.endsWith('_SHA256') ? 'a1'.repeat(32) : 'x')
  }
  const readFile = (path: string) => made[path.slice(path.lastIndexOf('/') + 1)] ?? readFileSync(path, 'utf8')
  const { config, problems } = parseConfig(text, { file, env, readFile })
  if (config === undefined && problems.length === 0) throw new Error(`${file} gives neither a configuration nor a problem`)
  return problems
}

const isValid = new Ajv2020({ strict: true, allErrors: true }).compile(jsonSchema())

/** What an editor would mark in an example's document: a text for each place. */
export function schemaErrorsOfExample(text: string): readonly string[] {
  return isValid(parse(text)) ? [] : (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}
