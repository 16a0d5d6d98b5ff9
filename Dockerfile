# mcplex, as a container of its own and as what the controller and the pods of Gateways run (docs/running.md, deploy/README.md).
# The bundle is built before: npm ci && npm run build; an installed package has it.
FROM node:26-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mcplex" \
      org.opencontainers.image.description="Many MCP servers behind one endpoint; each agent sees its own few tools." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json LICENSE ./
COPY bin/ bin/
COPY dist/ dist/
USER 10101:10101
# Where mcplex.yaml is looked for. The image has none: then it is the demo that is served, on the container's own loopback.
WORKDIR /etc/mcplex
# No signal opens a debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "/app/bin/mcplex.js"]
CMD ["run"]
