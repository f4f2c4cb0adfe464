import type { HrParkCode } from "../directory/hr-store.ts";

/** Why a message cannot count yet: it is kept, and a person or a better hr.yaml helps it on. */
export class MessageFault extends Error {
  override readonly name = "MessageFault";
  readonly code: HrParkCode;

  constructor(code: HrParkCode, message: string) {
    super(message);
    this.code = code;
  }
}
