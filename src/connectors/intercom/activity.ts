import type { ActivityHint, Call, EndOfList } from "../connector.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import { refusals } from "./refusals.ts";
import { activityPage, nextActivityPage } from "./wire.ts";

/** What a mapping says something about, by the vendor's types: whoever changed it is somebody to look at. The list is open. */
const accessTypes = new Set([
  "admin_deletion",
  "admin_deprovisioned",
  "admin_invite_change",
  "admin_invite_creation",
  "admin_invite_deletion",
  "admin_permission_change",
  "admin_provisioned",
  "app_admin_join",
  "app_team_creation",
  "app_team_deletion",
  "app_team_membership_modification",
  "inbox_access_change",
  "role_change",
  "role_creation",
  "role_deletion",
  "seat_change",
  "seat_revoke",
]);

/** What somebody should know of whatever it is about: deletions, and settings that guard the workspace. */
const alarming =
  /_deletion$|^workspace_deletion|^security_settings|authentication|_two_factor|^oauth_token|^admin_impersonation|^app_package_(un)?install|token_regeneration|^ip_allowlist|^seat_revoke$|deprovisioned$/;

/** The log since an instant: hints about whom to look at and what to tell, never the truth. */
export async function* listActivity(
  call: Call,
  since: number,
): AsyncGenerator<ActivityHint | EndOfList> {
  const pages = call.http.pages(
    {
      operation: "activity_logs.list",
      query: { created_at_after: Math.floor(since / 1000) },
      parse: (body) => activityPage.parse(body),
      refusals,
    },
    nextActivityPage,
  );
  let count = 0;
  for await (const page of pages) {
    for (const entry of page.value.activity_logs) {
      if (entry === null) continue;
      count += 1;
      yield {
        entryId: entry.id,
        at: entry.created_at * 1000,
        type: entry.activity_type,
        touchesAccess: accessTypes.has(entry.activity_type),
        alarming: alarming.test(entry.activity_type),
        by:
          entry.performed_by?.id === null || entry.performed_by?.id === undefined
            ? undefined
            : asId<AccountId>(entry.performed_by.id),
        byAddress: entry.performed_by?.ip ?? undefined,
      };
    }
  }
  yield { complete: true, count };
}
