import { conditionColumn, define, targetColumns } from './definition.ts'
import { conditions, labelSelector, mcpStatus, name, port, sectionName } from './fields.ts'
import { anything, atLeastOne, exactlyOne, list, object, text } from './schema.ts'
import { backendPolicies, serverPolicies } from './server-policies.ts'

/** agentgateway's own backend: its `mcp` is checked, the other types are only known by name. */

const others = ['ai', 'static', 'dynamicForwardProxy', 'aws', 'a2a']

const target = object(
  'One MCP server, or those that a selector finds.',
  {
    name: sectionName('Its name. See prefixMode for when the names of its tools begin with it.'),
    static: object(
      'A server with a fixed address.',
      {
        host: text('Its host name or IP address.', { max: 256 }),
        backendRef: object('A Service of the same namespace, instead of a host.', { name: name('Its name.') }, { required: ['name'] }),
        port: port('Its port.'),
        path: text('Its path. Not written: /mcp.', { max: 1024 }),
        protocol: text('How it speaks MCP. Not written: StreamableHTTP.', { values: ['StreamableHTTP', 'SSE'] }),
        policies: object('How it is reached. Goes before what the backend and policies say.', serverPolicies),
      },
      {
        required: ['port'],
        rules: [
          exactlyOne(['host', 'backendRef'], 'write either host, or backendRef with the name of a Service of this namespace'),
          {
            rule: '!has(self.backendRef) || !has(self.policies)',
            message: 'policies goes with host; for a Service write an AgentgatewayPolicy that targets it',
          },
        ],
      },
    ),
    selector: object(
      'Services of the cluster, by labels. Their ports whose appProtocol is agentgateway.dev/mcp or kgateway.dev/mcp are servers.',
      {
        namespaces: labelSelector("Labels of the namespaces to look in. Not written: this object's own."),
        services: labelSelector('Labels of the Services.'),
      },
      { rules: [atLeastOne(['namespaces', 'services'], 'write services with the labels of the Services that speak MCP')] },
    ),
  },
  {
    required: ['name'],
    rules: [exactlyOne(['static', 'selector'], 'write either static, with host and port, or selector, with labels of Services')],
  },
)

const mcp = object(
  'MCP servers that are offered as one.',
  {
    targets: list('The servers, in the order in which their tools are listed.', target, { keys: ['name'], min: 1, max: 128 }),
    prefixMode: text(
      "When names of tools and prompts begin with their server's: always, with several servers (Conditional, as if not written), never.",
      {
        values: ['Always', 'Conditional', 'Never'],
      },
    ),
    sessionRouting: text('Stateful is what mcplex does; Stateless is not supported yet.', { values: ['Stateful', 'Stateless'] }),
    failureMode: text('Whether the others go on where a server is down. Not written: FailOpen, unlike in agentgateway.', {
      values: ['FailOpen', 'FailClosed'],
    }),
  },
  { required: ['targets'] },
)

export const agentgatewayBackend = define({
  group: 'agentgateway.dev',
  kind: 'AgentgatewayBackend',
  description: 'Where requests go. mcplex serves those with mcp, for HTTPRoutes that name them; others it leaves alone.',
  shortNames: ['agbe'],
  categories: ['agentgateway', 'mcplex'],
  columns: [conditionColumn('Accepted', '.status', 'Whether it can be served.'), ...targetColumns],
  spec: object(
    'What it is.',
    {
      mcp,
      policies: object('How all its servers are reached. Goes before what policies say.', backendPolicies),
      ...Object.fromEntries(others.map((member) => [member, anything('Not served by mcplex.')])),
    },
    {
      rules: [
        exactlyOne(['mcp', ...others], `write exactly one of mcp, ${others.join(', ')}; mcplex serves mcp`),
        { rule: '!has(self.policies) || !has(self.policies.mcp) || has(self.mcp)', message: 'policies.mcp goes with mcp' },
        { rule: '!has(self.policies) || !has(self.policies.ai) || has(self.ai)', message: 'policies.ai goes with ai' },
      ],
    },
  ),
  status: object('What has become of it.', { conditions: conditions('What is so.'), mcp: mcpStatus }),
})
