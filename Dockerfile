# One image for each use: docker build --target airbyte --tag source-claude-compliance:dev .
# The target `airbyte` is an Airbyte source, and `command` (the default) the command line.

FROM node:22.23-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY connectors ./connectors
COPY fixtures ./fixtures
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22.23-bookworm-slim AS runtime
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# `node` in the image: Kubernetes refuses a name where it must not run as root.
USER 1000:1000

FROM runtime AS airbyte
LABEL io.airbyte.name="source-claude-compliance" io.airbyte.version="0.1.0"
ENV AIRBYTE_ENTRYPOINT="node /app/dist/connectors/airbyte/main.js"
ENTRYPOINT ["node", "/app/dist/connectors/airbyte/main.js"]

FROM runtime AS command
ENTRYPOINT ["node", "/app/dist/connectors/cli/main.js"]
