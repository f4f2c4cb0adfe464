import { z } from "zod";
import { InputError, StoreError, SyncError } from "../../model/errors.ts";
import { OperationError } from "../operation.ts";

export interface Fault {
  readonly status: number;
  readonly text: string;
  readonly list?: readonly string[];
}

/** What a person is told of an error; a fault of ours is not told, the log has it. */
export function faultOf(error: unknown): Fault {
  if (error instanceof z.ZodError) {
    const list = error.issues.map((issue) =>
      issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`,
    );
    return { status: 400, text: "Something that was written cannot be used:", list };
  }
  if (error instanceof OperationError) return { status: error.status, text: error.message };
  if (error instanceof InputError)
    return { status: 422, text: error.message, list: error.problems };
  if (error instanceof SyncError) return { status: 409, text: error.message };
  if (error instanceof StoreError) return { status: storeStatus(error), text: error.message };
  if (error instanceof URIError) return { status: 400, text: "this address cannot be read" };
  return { status: 500, text: "This is a fault of ours. The log of the service has it." };
}

function storeStatus(error: StoreError): number {
  switch (error.code) {
    case "NOT_FOUND":
      return 404;
    case "VERSION_CONFLICT":
    case "ALREADY_EXISTS":
      return 409;
    case "INVALID":
      return 400;
    case "UNAVAILABLE":
      return 503;
  }
}
