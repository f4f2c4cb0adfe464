import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readConfig, type Config } from "../config/config.ts";
import { createHttpPools } from "../http/http-pools.ts";
import { createJsonClient, JsonClientError } from "../http/json-client.ts";
import { CommandError, exitCodes, type Api, type ExitCode } from "./command.ts";

const bootstrapShape = z.object({ operatorToken: z.string() });

/** The operator interface of the running service: `--url` or the configured port, with the token that this host may read. */
export function apiClient(options: {
  readonly url: string | undefined;
  readonly tenant: string | undefined;
}): Promise<Api> {
  const config = readConfig();
  const url = options.url ?? config.apiUrl ?? `http://127.0.0.1:${String(config.operatorPort)}`;
  const pools = createHttpPools({ connectMs: 5_000, innerHosts: "any" });
  const client = createJsonClient({
    baseUrl: `${url}/api/v1`,
    token: operatorToken(config),
    pools,
    totalMs: 120_000,
  });
  const tenant = options.tenant ?? config.tenantId;
  return Promise.resolve({
    async call(method, path, input = {}) {
      try {
        return await client.call(method, path, { ...input, tenant });
      } catch (error) {
        if (error instanceof JsonClientError)
          throw new CommandError(codeOf(error), sentenceOf(error, url));
        throw error;
      } finally {
        await pools.close();
      }
    },
  });
}

function operatorToken({ adminToken, dataDir }: Config): string {
  if (adminToken !== undefined) return adminToken;
  const path = join(dataDir, "bootstrap.json");
  try {
    return bootstrapShape.parse(JSON.parse(readFileSync(path, "utf8"))).operatorToken;
  } catch (error) {
    throw new CommandError(
      exitCodes.refused,
      `no operator token: set ROLECALL_ADMIN_TOKEN, or run this where ${path} can be read (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}

function codeOf(error: JsonClientError): ExitCode {
  if (error.status === undefined) return exitCodes.unreachable;
  if (error.status === 401 || error.status === 403) return exitCodes.refused;
  if (error.status === 404 || error.status === 409) return exitCodes.notThere;
  return error.status === 400 || error.status === 422 ? exitCodes.usage : exitCodes.failed;
}

function sentenceOf(error: JsonClientError, url: string): string {
  return error.status === undefined
    ? `${error.message}: is the service running at ${url}? \`npm start\` starts it`
    : error.message;
}
