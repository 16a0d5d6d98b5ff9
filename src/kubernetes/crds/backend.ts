import { conditionColumn, define, targetColumns } from './definition.ts'
import { conditions, labelSelector, mcpStatus, port, sectionName } from './fields.ts'
import { anything, atMostOne, exactlyOne, list, object, text } from './schema.ts'

/** kgateway's Backend: type MCP is checked, of the others only that what they are is there. */

const types = { AI: 'ai', AWS: 'aws', DynamicForwardProxy: 'dynamicForwardProxy', GCP: 'gcp', MCP: 'mcp', Static: 'static' } as const

const selector = object(
  'Services of the cluster, by labels. Their ports whose appProtocol is kgateway.dev/mcp or agentgateway.dev/mcp are servers.',
  {
    namespaces: labelSelector("Labels of the namespaces to look in. Not written: this object's own."),
    services: labelSelector('Labels of the Services.'),
    namespace: labelSelector('Another spelling of namespaces.'),
    service: labelSelector('Another spelling of services.'),
  },
  {
    rules: [
      atMostOne(['services', 'service'], 'services and service are one field: write one of them'),
      atMostOne(['namespaces', 'namespace'], 'namespaces and namespace are one field: write one of them'),
    ],
  },
)

const target = object(
  'One MCP server, or those that a selector finds.',
  {
    name: sectionName('Its name. The names of its tools begin with it where there are several servers.'),
    static: object(
      'A server with a fixed address.',
      {
        host: text('Its host name or IP address.', { max: 256 }),
        port: port('Its port.'),
        path: text('Its path. Not written: /mcp.', { max: 1024 }),
        protocol: text('How it speaks MCP. Not written: StreamableHTTP.', { values: ['StreamableHTTP', 'SSE'] }),
      },
      { required: ['host', 'port'] },
    ),
    selector,
  },
  {
    required: ['name'],
    rules: [exactlyOne(['static', 'selector'], 'write either static, with host and port, or selector, with labels of Services')],
  },
)

export const backend = define({
  group: 'gateway.kgateway.dev',
  kind: 'Backend',
  description: 'Where requests go. mcplex serves those of type MCP, for HTTPRoutes that name them; others it leaves alone.',
  shortNames: ['be'],
  categories: ['kgateway', 'mcplex'],
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'What it is.' },
    conditionColumn('Accepted', '.status', 'Whether it can be served.'),
    ...targetColumns,
  ],
  spec: object(
    'What it is.',
    {
      type: text('Which of the members of this name describes it.', { values: Object.keys(types) }),
      mcp: object(
        'MCP servers that are offered as one.',
        { targets: list('The servers, in the order in which their tools are listed.', target, { keys: ['name'], min: 1, max: 256 }) },
        { required: ['targets'] },
      ),
      ...Object.fromEntries(
        Object.values(types).flatMap((member) => (member === 'mcp' ? [] : [[member, anything('Not served by mcplex.')]])),
      ),
    },
    {
      required: ['type'],
      rules: [
        { rule: "self.type != 'MCP' || has(self.mcp)", message: 'type MCP needs mcp.targets, the MCP servers' },
        { rule: "self.type == 'MCP' || !has(self.mcp)", message: 'mcp goes with type: MCP' },
      ],
    },
  ),
  status: object('What has become of it.', { conditions: conditions('What is so.'), mcp: mcpStatus }),
})
