/**
 * What the library gives by itself: express routes over scimmy's own resources and schemas, handlers as its documentation shows
 * them, filters matched by scimmy. People and groups live in maps: nothing is durable, so writes have a head start.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Request, type Response } from "express";
import SCIMMY from "scimmy";
import { personBody } from "../people.ts";
import { teamName } from "../rule-book.ts";
import { everybodyId, groupIdOf, scimToken, sourceUserIdOf, tenId, upTo } from "./company.ts";
import { serveParent } from "./serve-parent.ts";

type Stored = Record<string, unknown> & { id: string };

const users = new Map<string, Stored>();
const groups = new Map<string, Stored>();

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false));
SCIMMY.Resources.declare(SCIMMY.Resources.Group);
keep(SCIMMY.Resources.User, users);
keep(SCIMMY.Resources.Group, groups);
SCIMMY.Resources.User.basepath("/scim/v2");
SCIMMY.Resources.Group.basepath("/scim/v2");

interface Handled {
  readonly id?: string;
  readonly filter?: { match(values: readonly unknown[]): unknown[] };
}

function keep(type: unknown, into: Map<string, Stored>): void {
  const declared = type as {
    ingress(handler: (resource: Handled, data: object) => unknown): void;
    egress(handler: (resource: Handled) => unknown): void;
    degress(handler: (resource: Handled) => void): void;
  };
  declared.ingress((resource, data) => {
    const id = resource.id ?? randomUUID();
    const now = new Date().toISOString();
    const meta = { created: now, lastModified: now };
    const stored: Stored = { ...(JSON.parse(JSON.stringify(data)) as object), id, meta };
    into.set(id, stored);
    return stored;
  });
  declared.egress((resource) => {
    if (resource.id !== undefined) return into.get(resource.id);
    const all = [...into.values()];
    return resource.filter === undefined ? all : resource.filter.match(all);
  });
  declared.degress((resource) => {
    into.delete(resource.id ?? "");
  });
}

interface Resource {
  read(): Promise<unknown>;
  write(body: unknown): Promise<unknown>;
  patch(body: unknown): Promise<unknown>;
}

const app = express();
app.set("etag", false);
app.use(express.json({ type: () => true, limit: "32mb" }));
for (const [path, Type] of [
  ["/scim/v2/Users", SCIMMY.Resources.User],
  ["/scim/v2/Groups", SCIMMY.Resources.Group],
] as const) {
  const open = (...of: readonly unknown[]) =>
    Reflect.construct(Type as unknown as new () => Resource, [...of]) as Resource;
  app.post(
    path,
    answer(201, (request) => open().write(request.body)),
  );
  app.get(
    path,
    answer(200, (request) => open(request.query).read()),
  );
  app.get(
    `${path}/:id`,
    answer(200, (request) => open(request.params["id"]).read()),
  );
  app.put(
    `${path}/:id`,
    answer(200, (request) => open(request.params["id"]).write(request.body)),
  );
  app.patch(
    `${path}/:id`,
    answer(200, (request) => open(request.params["id"]).patch(request.body)),
  );
}

function answer(status: number, work: (request: Request) => Promise<unknown>) {
  return async (request: Request, response: Response): Promise<void> => {
    if (request.headers.authorization !== `Bearer ${scimToken}`) {
      response.status(401).end();
      return;
    }
    try {
      const result = await work(request);
      if (result === undefined) response.status(204).end();
      else response.status(status).type("application/scim+json").end(JSON.stringify(result));
    } catch (error) {
      const problem = error as { readonly status?: number; readonly message?: string };
      response.status(problem.status ?? 500).end(problem.message);
    }
  };
}

const server = createServer(app);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

serveParent(
  {
    address: () => ({
      url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/scim/v2`,
      token: scimToken,
    }),
    cpu: () => process.cpuUsage(),
    fill: ({ people }: { readonly people: number }) => {
      const meta = { created: new Date().toISOString(), lastModified: new Date().toISOString() };
      for (let at = 0; at < people; at++) {
        const { schemas: _schemas, ...person } = personBody(at);
        users.set(sourceUserIdOf(at), { ...person, id: sourceUserIdOf(at), meta });
      }
      const put = (id: string, displayName: string, members: readonly number[]) =>
        groups.set(id, {
          id,
          displayName,
          members: members.map((at) => ({ value: sourceUserIdOf(at) })),
          meta,
        });
      for (let at = 0; at < Math.ceil(people / 100); at++) {
        put(
          groupIdOf(at),
          teamName(at),
          upTo(100).map((of) => (at * 100 + of) % people),
        );
      }
      put(tenId, "Ten", upTo(Math.min(10, people)));
      put(everybodyId, "Everybody", upTo(people));
    },
  },
  async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);
