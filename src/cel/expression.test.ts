import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expressionFault, type Scope } from './cel.ts'

const good: readonly (readonly [text: string, scope?: Scope])[] = [
  ['true'],
  ['jwt.foo'],
  ['!jwt.foo'],
  ['jwt.sub == "u" && mcp.tool.name == "add"'],
  ['mcp.tool.name == "printEnv" && jwt.nested.key == "value"'],
  ['mcp.tool.target == "git" && mcp.tool.server == "git"'],
  ['mcp["tool"]["name"] == "a"'],
  ['mcp.methodName == "tools/call"'],
  ['mcp.method in ["resources/read", "resources/subscribe"]'],
  ['mcp.method != "completion/complete" && "prompts/get" == mcp.method'],
  ['mcp.resource.uri.startsWith("file:///") && mcp.resource.name.startsWith("file:///")'],
  ['mcp.tool.annotations.readOnlyHint == true'],
  ['mcp.tool.arguments.paths.all(path, path.startsWith("/srv/"))'],
  ['has(mcp.tool) || has(mcp.prompt) || has(mcp.resource)'],
  ['has(jwt.groups) && "sre" in jwt.groups'],
  ['mcp.?tool.name.orValue("") == "a"'],
  ['default(jwt.level, 0) > 3'],
  ['jwt.list.contains("a") && jwt.text.contains("a")'],
  ['jwt.list.map(x, x.id).exists_one(id, id == 1)'],
  ['jwt.list.filter(x, x > 1).size() == 2 && size(jwt.list) > 2'],
  ['jwt.list.map(x, x > 1, x + 1)[0] == 3'],
  ['["a", "b"].exists(x, jwt.list.exists(y, y.exists(z, z == x)))'],
  ['mcp.tool.name.matches("^(a+)+$")'],
  ['mcp.tool.name.lowerAscii() == "a" && mcp.tool.name.split("_")[0] == "get"'],
  ['apiKey.group == "ops" && apiKey.id == "ci"', 'access'],
  ['source.address == "127.0.0.1" && cidr("10.0.0.0/8").containsIP(source.address) && isIP(source.address)', 'access'],
  ['"spiffe://a/b" in source.subjectAltNames || has(source.identity)', 'access'],
  ['request.headers["x-team"] == "a" || "x-b" in request.headers || has(request.headers.c)', 'access'],
  ['request.method == "POST" && request.path == "/mcp" && request.pathAndQuery != "" && request.host == "h"', 'access'],
  ['timestamp(jwt.exp) - timestamp(jwt.iat) < duration("1h")', 'access'],
  ['type(jwt.sub) == string', 'access'],
  ['mcp.tool.name == "a" ? jwt.admin : false'],
  ['!(has(jwt.x) ? (request.path + mcp.tool.server) : jwt.y)'],
  ['has(request.headers) && request["headers"][jwt.header] == "a" && jwt.header in request.headers', 'access'],
]

test('rules that are taken', () => {
  for (const [text, scope = 'item'] of good) assert.equal(expressionFault(text, scope), undefined, text)
})

/** The mark stands before the character to blame. */
const bad: readonly (readonly [marked: string, code: string, says: RegExp, scope?: Scope])[] = [
  ['mcp.¦tol.name == "a"', 'cel-unknown-variable', /`tol`, which `mcp` does not have.*tool, prompt, resource/],
  ['mcp[¦"tol"].name == "a"', 'cel-unknown-variable', /`tol`/],
  ['jwt.a == 1 && mcp.tool.¦nam == "a"', 'cel-unknown-variable', /name, server, target, annotations, arguments/],
  ['mcp.prompt.¦arguments.x == 1', 'cel-unknown-variable', /`arguments`, which `mcp.prompt` does not have/],
  ['mcp.¦task.name == "a"', 'cel-unknown-variable', /`task`/],
  ['¦foo.bar == 1', 'cel-unknown-variable', /`foo`, which does not exist here.*jwt, apiKey, source, request, mcp/],
  ['jwt.a == 1 || ¦jtw.b == 1', 'cel-unknown-variable', /`jtw`/],
  ['¦mcp.tool.name == "a"', 'cel-unknown-variable', /`mcp`, which does not exist here.*jwt, apiKey, source, request$/, 'access'],
  ['¦toString == 1', 'cel-unknown-variable', /`toString`/],
  ['mcp.¦constructor == 1', 'cel-unknown-variable', /`constructor`/],
  ['source.identity.¦namespace == "a"', 'cel-unknown-variable', /it is a text/],
  ['request.¦body == "a"', 'cel-unknown-variable', /`body`/],
  ['request.headers[¦"Authorization"] == "a"', 'cel-unknown-variable', /credentials/],
  ['request.headers.¦cookie == "a"', 'cel-unknown-variable', /credentials/],
  ['jwt.list.exists(x, ¦y == 1)', 'cel-unknown-variable', /`y`/],
  ['mcp.tool.name.¦startWith("a")', 'cel-unknown-variable', /calls `startWith`.*startsWith/],
  ['(mcp.tool.name + "x").¦startWith("a")', 'cel-unknown-variable', /calls `startWith`/],
  ['¦startsWith(mcp.tool.name, "a")', 'cel-unknown-variable', /write x\.startsWith\(…\)/],
  ['jwt.a.¦has()', 'cel-unknown-variable', /write has\(…\)/],
  ['¦variables()', 'cel-unknown-variable', /calls `variables`/],
  ['¦cel.bind(x, 1, x == 1)', 'cel-unknown-variable', /`cel`/],
  ['¦counted_(jwt.a)', 'cel-unknown-variable', /calls `counted_`/],
  ['jwt.a.¦matches_("a")', 'cel-unknown-variable', /calls `matches_`/],
  ['¦mcp.tool.name', 'cel-type', /yields string.*compare/],
  ['  ¦jwt', 'cel-type', /yields map/],
  ['¦mcp', 'cel-type', /takes `mcp` for a value.*tool/],
  ['mcp.¦tool == "a"', 'cel-type', /takes `mcp.tool` for a value/],
  ['mcp.¦tool[jwt.a] == "a"', 'cel-type', /takes `mcp.tool` for a value/],
  ['has(¦mcp)', 'cel-type', /takes `mcp` for a value/],
  ['has(¦jwt)', 'cel-type', /has\(\)/],
  ['¦mcp.tool.name == 5', 'cel-type', /string == int/],
  ['jwt.a && ¦mcp.tool.name > 5', 'cel-type', /string > int/],
  ['¦mcp.tool.name.startsWith(1)', 'cel-type', /string\.startsWith\(int\)/],
  ['¦!mcp.tool.name', 'cel-type', /!string/],
  ['mcp.tool.name.¦startsWith("a", 1)', 'cel-type', /2 arguments/],
  ['mcp.method == ¦"tools/list"', 'cel-type', /lists show follows from what may be used/],
  ['¦"tools/list" == mcp.methodName', 'cel-type', /tools\/list/],
  ['mcp.method in ["tools/call", ¦"resources/list"]', 'cel-type', /resources\/list/],
  ['jwt.a.all(¦mcp, true)', 'cel-type', /name `mcp`, which is taken/],
  ['jwt.a.exists(x, x.exists(y, y.¦exists(z, z == 1)))', 'cel-type', /deeper than 2/],
  ['¦duration(jwt.a) > duration("1h")', 'cel-type', /duration/],
  ['cidr(¦"10.0.0.0/33").containsIP(source.address)', 'cel-type', /range of addresses/],
  ['mcp.tool.name.matches(¦"(a")', 'cel-syntax', /pattern.*missing closing/],
  ['mcp.tool.name.matches(¦"(?=a)")', 'cel-syntax', /pattern/],
  ['mcp.tool.name.matches(¦"(a{1,1000}){1,3}[a-z]{1,1000}[a-z]{1,1000}[a-z]{1,1000}[a-z]{1,1000}")', 'cel-syntax', /pattern/],
  ['mcp.tool.name.matches(¦"[a-z]{1,1000}[a-z]{1,1000}[a-z]{1,1000}")', 'cel-syntax', /too large/],
  ['jwt.team.matches(¦["a", "b"])', 'cel-type', /matches works on texts, not on list/],
  ['jwt.a == 1 || ["x"].exists(x, jwt.team.matches(¦1))', 'cel-type', /matches works on texts, not on int/, 'access'],
  ['  mcp.prompt.name == "p" || !(mcp.tool.arguments.n.matches(¦jwt))', 'cel-type', /matches works on texts, not on map/],
  ['dyn(request.¦headers).all(h, h != "x")', 'cel-type', /takes all headers for a value name one/],
  ['[jwt, request[¦"headers"]].exists(m, size(m) > 0)', 'cel-type', /takes all headers/, 'access'],
  ['default(request.¦headers, jwt).exists(h, h == "x")', 'cel-type', /takes all headers/, 'access'],
  ['request.?¦headers.value().all(h, h != "x")', 'cel-type', /takes all headers/, 'access'],
  ['size(request.¦headers) == 0', 'cel-type', /takes all headers/, 'access'],
  ['mcp.tool.name ==¦', 'cel-syntax', /the end/],
  ['¦', 'cel-syntax', /the end/],
  ['mcp.tool.name == "a" ¦mcp', 'cel-syntax', /unexpected character/],
  ['mcp.tool.name ¦= "a"', 'cel-syntax', /unexpected character/],
  ['(jwt.a¦', 'cel-syntax', /expected `\)`, got the end/],
  ['jwt.a == ¦"x', 'cel-syntax', /unterminated/],
  ['¦b"x" == b"x"', 'cel-syntax', /bytes/],
]

test('rules that are not, and which character is to blame', () => {
  for (const [marked, code, says, scope = 'item'] of bad) {
    const fault = expressionFault(marked.replace('¦', ''), scope)
    assert.ok(fault, marked)
    assert.equal(fault.code, code, `${marked}: ${fault.text}`)
    assert.match(`${fault.text} ${fault.hint ?? ''}`.trim(), says, marked)
    assert.equal(fault.at, marked.indexOf('¦'), marked)
  }
})

test('what was found sound stays so, in its own scope alone', () => {
  const text = 'mcp.tool.name == "remembered"'
  for (const again of [1, 2]) {
    assert.equal(expressionFault(text, 'item'), undefined, `${again}`)
    assert.equal(expressionFault(text, 'access')?.code, 'cel-unknown-variable', `${again}`)
    assert.equal(expressionFault(`${text} == 1`, 'item')?.code, 'cel-type', `${again}`)
  }
})

const endless: readonly (readonly [what: string, text: string])[] = [
  ['negations', `${'!'.repeat(20_000)}jwt.a`],
  ['minus signs', `${'-'.repeat(1200)}jwt.a == 1`],
  ['brackets', `${'('.repeat(500)}jwt.a${')'.repeat(500)}`],
  ['lists', '['.repeat(20_000)],
  ['alternatives', `jwt.a${' || jwt.a'.repeat(2000)}`],
  ['questions in questions', '((((jwt.a ? true : false) ? true : false) ? true : false) ? true : false) ? true : false'],
  ['characters', `mcp.tool.name == "${'x'.repeat(40_000)}"`],
]

test('what is too much is a fault, not a crash', () => {
  for (const [what, text] of endless) assert.ok(expressionFault(text, 'item'), what)
})

test('what was probably meant is told', () => {
  for (const [text, meant] of [
    ['jwt.sub = "a"', '=='],
    ['jwt.a & jwt.b', '&&'],
    ['jwt.a | jwt.b', '||'],
    ['jwt.a == 1 and jwt.b == 1', '&&'],
    ['jwt.a == 1 or jwt.b == 1', '||'],
    ['jwt.a => 1', '>='],
    ['request.header["x-team"] == "a"', 'headers'],
    ['requests.path == "/"', 'request'],
    ['jwt.sub.startWith("a")', 'startsWith'],
    ['sise(jwt.list) > 1', 'size'],
  ] as const)
    assert.ok(expressionFault(text, 'item')?.hint?.startsWith(`did you mean \`${meant}\`?`), text)
  for (const text of ['jwt.a == 1 orange', 'quux.a == 1']) assert.doesNotMatch(expressionFault(text, 'item')?.hint ?? '', /did you mean/)
})
