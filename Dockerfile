# syntax=docker/dockerfile:1
# One image for every role; what a container does is said by ROLECALL_ROLES, see deploy/README.md.
# For builds that can be repeated byte for byte pin the base by digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are Node.js itself, which the base image has; no package's script runs.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
# Of the style sheets the console sends one; the others are 20 MB.
RUN find node_modules/@picocss/pico/css -type f ! -name pico.min.css -delete

FROM ${NODE_IMAGE} AS service
ENV NODE_ENV=production \
    ROLECALL_DATA_DIR=/data \
    ROLECALL_OPERATOR_HOST=0.0.0.0
WORKDIR /app
# Owned by root and read-only for the service; /data is the one folder that it writes.
RUN install -d -m 0700 -o 1000 -g 1000 /data
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY mappings ./mappings
COPY src ./src
USER 1000:1000
VOLUME ["/data"]
EXPOSE 8080 8081
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ROLECALL_OPERATOR_PORT || 8081}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=50", "src/bin.js"]
CMD ["serve"]
