import { pageReply } from "./paging.ts";
import { base, workspaceOf } from "./route.ts";
import type { InstantlyRoute, InstantlyWorld } from "./route.ts";

/** Campaigns and sending accounts, only as far as tags and owners are about them. */
export const resourceRoutes: readonly InstantlyRoute[] = [
  {
    operation: "campaigns.list",
    method: "get",
    path: `${base}/campaigns`,
    kind: "list",
    scope: "campaigns:read",
    handle: (world, call) =>
      pageReply(world.truth, call, rowsOf(world, 2), {
        render: ({ id, name, ownedBy }) => ({ id, name, owned_by: ownedBy }),
      }),
  },
  {
    operation: "accounts.list",
    method: "get",
    path: `${base}/accounts`,
    kind: "list",
    scope: "accounts:read",
    handle: (world, call) =>
      pageReply(world.truth, call, rowsOf(world, 1), {
        render: ({ id, ownedBy }) => ({ email: id, added_by: ownedBy }),
      }),
  },
];

function rowsOf(world: InstantlyWorld, type: 1 | 2) {
  const workspaceId = workspaceOf(world).id;
  return world.truth.resources.filter(
    (item) => item.workspaceId === workspaceId && item.type === type,
  );
}
