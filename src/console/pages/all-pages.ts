import { accountActions, accountPage } from "./account.ts";
import { apiPage } from "./api-docs.ts";
import { approvalActions, approvalPage, approvalsPage } from "./approvals.ts";
import { auditActions, auditPage } from "./audit.ts";
import { connectActions, connectionPage, connectPage, idpPage } from "./connect.ts";
import { keyActions, keysPage } from "./keys.ts";
import { leaverActions, leaverPage, leaversPage } from "./leavers.ts";
import { editPage, mappingActions, mappingPage, mappingsPage, matrixPage } from "./mappings.ts";
import type { Action, Page } from "./page.ts";
import { parkedActions, parkedPage } from "./parked.ts";
import { peoplePage } from "./people.ts";
import { personActions, personPage } from "./person.ts";
import { reviewActions, reviewPage, reviewsPage } from "./reviews.ts";
import { taskActions, taskPage, tasksPage } from "./tasks.ts";
import { findingsPage, todayPage } from "./today.ts";
import { vendorActions, vendorPage, vendorsPage } from "./vendors.ts";

/** Every page of the console; the first one that fits an address is it. */
export const pages: readonly Page[] = [
  todayPage,
  findingsPage,
  approvalsPage,
  approvalPage,
  tasksPage,
  taskPage,
  parkedPage,
  peoplePage,
  personPage,
  leaversPage,
  leaverPage,
  vendorsPage,
  vendorPage,
  mappingsPage,
  editPage,
  matrixPage,
  mappingPage,
  connectPage,
  idpPage,
  connectionPage,
  reviewsPage,
  reviewPage,
  keysPage,
  auditPage,
  apiPage,
  accountPage,
];

/** Every form of the console; the first one that fits an address is it. */
export const actions: readonly Action[] = [
  ...approvalActions,
  ...taskActions,
  ...parkedActions,
  ...personActions,
  ...leaverActions,
  ...vendorActions,
  ...mappingActions,
  ...connectActions,
  ...reviewActions,
  ...keyActions,
  ...auditActions,
  ...accountActions,
];

/** What a page gives as a file: the answer of one operation, as JSON, or the text that it holds. */
export const downloads: readonly {
  readonly path: string;
  readonly operation: string;
  readonly input: (params: Readonly<Record<string, string>>) => object;
  readonly fileName: (params: Readonly<Record<string, string>>) => string;
}[] = [
  {
    path: "/leavers/:caseId/evidence.json",
    operation: "showCase",
    input: ({ caseId }) => ({ caseId }),
    fileName: ({ caseId = "" }) => `rolecall-leaver-${caseId}.json`,
  },
  {
    path: "/reviews/:reviewId/export.html",
    operation: "exportReview",
    input: ({ reviewId }) => ({ reviewId, format: "html" }),
    fileName: ({ reviewId = "" }) => `rolecall-review-${reviewId}.html`,
  },
];
