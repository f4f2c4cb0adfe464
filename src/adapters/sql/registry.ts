import { accessQueries } from "./access.ts";
import { adoptionCommands, adoptionQueries } from "./adoption.ts";
import { accountCommands, accountQueries } from "./account-store.ts";
import { auditCommands } from "./audit-commands.ts";
import { auditQueries } from "./audit-queries.ts";
import { auditStreamCommands, auditStreamQueries } from "./audit-stream.ts";
import { brakeCommands, brakeQueries } from "./brake.ts";
import { caseCommands, caseQueries } from "./case-store.ts";
import { credentialCommands } from "./credential-commands.ts";
import { credentialQueries } from "./credential-queries.ts";
import { deadLetterCommands, deadLetterQueries } from "./dead-letters.ts";
import { deliveryCommands, deliveryQueries } from "./deliveries.ts";
import { thingCommands, thingQueries } from "./things.ts";
import { directoryCommands } from "./directory-commands.ts";
import { directoryQueries } from "./directory-queries.ts";
import type { Commands, Queries } from "./engine.ts";
import { groupCommands } from "./group-commands.ts";
import { hrCommands } from "./hr-commands.ts";
import { hrQueries } from "./hr-queries.ts";
import { signerCommands, signerQueries } from "./idp-signers.ts";
import { identityQueries } from "./identity-queries.ts";
import { mappingCommands } from "./mapping-commands.ts";
import { mappingQueries } from "./mapping-queries.ts";
import { pulseCommands, pulseQueries } from "./pulse.ts";
import { recomputeCommands } from "./recompute-commands.ts";
import { recomputeQueries } from "./recompute-queries.ts";
import { reviewCommands, reviewQueries } from "./reviews.ts";
import { rosterCommands, rosterQueries } from "./rosters.ts";
import { stampCommands, stampQueries } from "./stamp.ts";
import { taskCommands, taskQueries } from "./tasks.ts";
import { trafficCommands, trafficQueries } from "./traffic.ts";
import { userCommands } from "./user-commands.ts";

/** Every command by the name under which it crosses to the writing thread. */
export const commands: Commands = {
  ...stampCommands,
  ...brakeCommands,
  ...directoryCommands,
  ...userCommands,
  ...groupCommands,
  ...hrCommands,
  ...trafficCommands,
  ...recomputeCommands,
  ...mappingCommands,
  ...credentialCommands,
  ...signerCommands,
  ...auditCommands,
  ...auditStreamCommands,
  ...deadLetterCommands,
  ...taskCommands,
  ...rosterCommands,
  ...reviewCommands,
  ...accountCommands,
  ...adoptionCommands,
  ...caseCommands,
  ...deliveryCommands,
  ...thingCommands,
  ...pulseCommands,
};

/** Every query by the name under which it crosses to the reading thread. */
export const queries: Queries = {
  ...stampQueries,
  ...brakeQueries,
  ...directoryQueries,
  ...identityQueries,
  ...hrQueries,
  ...trafficQueries,
  ...recomputeQueries,
  ...mappingQueries,
  ...credentialQueries,
  ...signerQueries,
  ...auditQueries,
  ...auditStreamQueries,
  ...deadLetterQueries,
  ...taskQueries,
  ...rosterQueries,
  ...reviewQueries,
  ...accountQueries,
  ...accessQueries,
  ...adoptionQueries,
  ...caseQueries,
  ...deliveryQueries,
  ...thingQueries,
  ...pulseQueries,
};
