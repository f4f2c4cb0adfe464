import { z } from "zod";
import { StoreError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import { asId, type AccountId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import { readBaseline, signBaselineOff } from "../../sync/baseline.ts";
import {
  decideAccount,
  undecidedAccounts,
  type AccountDecision,
  type UndecidedAccount,
} from "../../sync/decide-account.ts";
import { startingMapping } from "../../sync/starting-mapping.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

const connection = z.string().min(1).max(64);
const changesShown = 500;
const rowsMax = 2_000;

/** As a row for people: the account, what is known of it, and what was decided. */
async function rowsOf(
  deps: ConsoleDeps,
  tenantId: TenantId,
  undecided: readonly UndecidedAccount[],
) {
  const names = await namesOf(
    deps,
    tenantId,
    undecided.flatMap((item) => item.candidates),
  );
  return undecided.map(({ account, kind, candidates, owner, reason, until }) => ({
    connection: account.connectionId,
    account: account.accountId,
    address: account.email,
    state: account.state,
    role: account.role,
    kind,
    candidates: candidates.map((identityId) => names.get(identityId) ?? identityId),
    owner: owner ?? null,
    reason: reason ?? null,
    until,
  }));
}

const decisionRow = z.strictObject({
  connection,
  account: z.string().min(1).max(200),
  decision: z.enum(["link", "accept", "withdraw"]),
  identity: z.string().min(1).max(320).optional(),
  owner: z.string().trim().min(3).max(320),
  reason: z.string().trim().min(3).max(500),
  until: z.number().int().positive().optional(),
});

async function decisionOf(
  deps: ConsoleDeps,
  tenantId: TenantId,
  row: z.output<typeof decisionRow>,
): Promise<AccountDecision> {
  const base = {
    connectionId: asId<ConnectionId>(row.connection),
    accountId: asId<AccountId>(row.account),
    owner: foldEmail(row.owner),
    reason: row.reason,
  };
  if (row.decision === "withdraw") return { ...base, decision: { op: "withdraw" } };
  if (row.decision === "accept")
    return { ...base, decision: { op: "accept", until: row.until ?? null } };
  if (row.identity === undefined) throw new OperationError(400, "a link wants an identity");
  const identityId = await theIdentity(deps, tenantId, row.identity);
  return { ...base, decision: { op: "link", identityId } };
}

export const adoptionOperations = [
  operation({
    name: "readBaseline",
    method: "GET",
    path: "/connections/:connection/baseline",
    summary:
      "What is at a vendor: who exists, who matches, what would change; and who signed for it",
    input: z.object({ connection }),
    run: async (deps, { tenantId }, input) => {
      const connectionId = asId<ConnectionId>(input.connection);
      const baseline = await readBaseline(deps, tenantId, connectionId);
      const shown = baseline.changes.slice(0, changesShown);
      const names = await namesOf(
        deps,
        tenantId,
        shown.map((item) => item.identityId),
      );
      return {
        ...baseline,
        undecided: await rowsOf(deps, tenantId, baseline.undecided),
        changes: shown.map((item) => ({ ...item, userName: names.get(item.identityId) ?? null })),
        signedOff: (await deps.store.getSignOff(tenantId, connectionId)) ?? null,
      };
    },
  }),
  operation({
    name: "signBaselineOff",
    method: "POST",
    path: "/connections/:connection/sign-off",
    needs: "approver",
    summary: "Answer for a baseline that was looked at: the connection may be let write afterwards",
    input: z.object({ connection, hash: z.string().length(64), why: z.string().min(1).max(500) }),
    run: async (deps, { tenantId, actor }, input) => {
      const { hash, why } = input;
      const connectionId = asId<ConnectionId>(input.connection);
      const signed = await signBaselineOff(deps, tenantId, { connectionId, hash, why, actor });
      return { connectionId, hash, counts: signed.counts };
    },
  }),
  operation({
    name: "startingMapping",
    method: "GET",
    path: "/connections/:connection/starting-mapping",
    summary: "A report-only mapping file that says what linked people hold now",
    input: z.object({ connection }),
    run: async (deps, { tenantId }, input) => ({
      text: await startingMapping(deps, tenantId, asId<ConnectionId>(input.connection)),
    }),
  }),
  operation({
    name: "undecidedAccounts",
    method: "GET",
    path: "/connections/:connection/undecided",
    summary:
      "Accounts that are linked to nobody, with who has their address and who answers for them",
    input: z.object({ connection }),
    run: async (deps, { tenantId }, input) => ({
      accounts: await rowsOf(
        deps,
        tenantId,
        await undecidedAccounts(deps, tenantId, asId<ConnectionId>(input.connection)),
      ),
    }),
  }),
  operation({
    name: "decideAccounts",
    method: "POST",
    path: "/links/decisions",
    needs: "approver",
    summary:
      "Decide about accounts row by row: `link` to a person, `accept` as nobody's with an owner until a day, or `withdraw`; a receipt each",
    input: z.object({ rows: z.array(decisionRow).min(1).max(rowsMax) }),
    run: async (deps, { tenantId, actor }, { rows }) => {
      const receipts = [];
      for (const row of rows) {
        const { account, decision } = row;
        try {
          await decideAccount(deps, tenantId, await decisionOf(deps, tenantId, row), actor);
          receipts.push({ account, decision, done: true, problem: null });
        } catch (error) {
          if (!(error instanceof OperationError || error instanceof StoreError)) throw error;
          receipts.push({ account, decision, done: false, problem: error.message });
        }
      }
      return { receipts };
    },
  }),
];
