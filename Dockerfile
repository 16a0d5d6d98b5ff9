# What the controller and the pods of Gateways run. The bundle is built before: npm ci && npm run build
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
ENTRYPOINT ["node", "/app/bin/mcplex.js"]
CMD ["--help"]
