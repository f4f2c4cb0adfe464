import type { Operation } from "../operation.ts";
import { adoptionOperations } from "./adoption.ts";
import { auditOperations } from "./audit.ts";
import { connectOperations } from "./connect.ts";
import { deadLetterOperations } from "./dead-letters.ts";
import { decisionOperations } from "./decisions.ts";
import { evidenceOperations } from "./evidence.ts";
import { hrOperations } from "./hr.ts";
import { keyOperations } from "./keys.ts";
import { laneOperations } from "./lanes.ts";
import { leaverOperations } from "./leavers.ts";
import { mappingOperations } from "./mappings.ts";
import { noticeOperations } from "./notices.ts";
import { peopleOperations } from "./people.ts";
import { pulseOperations } from "./pulse.ts";
import { recordOperations } from "./records.ts";
import { recoveryOperations } from "./recovery.ts";
import { reviewOperations } from "./reviews.ts";
import { rosterOperations } from "./rosters.ts";
import { setupOperations } from "./setup.ts";
import { signerOperations } from "./signers.ts";
import { signInOperations } from "./sign-in.ts";
import { taskOperations } from "./tasks.ts";
import { undoOperations } from "./undo.ts";
import { usageOperations } from "./usage.ts";
import { thingOperations } from "./things.ts";
import { tenantOperations } from "./tenants.ts";

/** Every operation of `/api/v1`, in the order of the documentation. */
export const allOperations: readonly Operation[] = [
  ...laneOperations,
  ...peopleOperations,
  ...decisionOperations,
  ...leaverOperations,
  ...evidenceOperations,
  ...noticeOperations,
  ...pulseOperations,
  ...adoptionOperations,
  ...connectOperations,
  ...taskOperations,
  ...rosterOperations,
  ...reviewOperations,
  ...undoOperations,
  ...usageOperations,
  ...thingOperations,
  ...keyOperations,
  ...tenantOperations,
  ...setupOperations,
  ...signerOperations,
  ...signInOperations,
  ...mappingOperations,
  ...hrOperations,
  ...auditOperations,
  ...recordOperations,
  ...recoveryOperations,
  ...deadLetterOperations,
];
