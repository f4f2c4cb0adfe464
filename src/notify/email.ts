import { createTransport } from "nodemailer";
import { DeliveryError, type Channel } from "./channel.ts";
import { topics, type Notice, type Topic } from "./notice.ts";

const timeoutMs = 30_000;

/** SMTP reply codes of 500 and above say no for good (RFC 5321 §4.2.1), but for one that asks to sign in. */
function isFinal(code: unknown): boolean {
  return typeof code === "number" && code >= 500 && code !== 530 && code !== 535;
}

/** Sends notices as plain text over SMTP. TLS is used where the server has it, and verified. */
export function emailChannel(options: {
  /** `smtp://user:password@host:587` or `smtps://…`; `smtp://…?requireTLS=true` refuses to go without TLS. */
  readonly smtpUrl: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly topics?: readonly Topic[];
}): Channel & { close(): void } {
  const transport = createTransport({
    url: options.smtpUrl,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: "email",
    topics: options.topics ?? topics,
    async send(notice, { deliveryId }) {
      try {
        await transport.sendMail({
          from: options.from,
          to: [...options.to],
          subject: subjectOf(notice),
          text: textOf(notice),
          // The same mail twice has the same id: mail programs show it once.
          messageId: `<${deliveryId}@rolecall>`,
          headers: { "Auto-Submitted": "auto-generated" },
        });
      } catch (error) {
        throw asDeliveryError(error);
      }
    },
    close() {
      transport.close();
    },
  };
}

function asDeliveryError(error: unknown): DeliveryError {
  const fields: { code?: unknown; responseCode?: unknown } =
    typeof error === "object" && error !== null ? error : {};
  const { code, responseCode } = fields;
  const text =
    typeof responseCode === "number"
      ? `SMTP ${String(responseCode)}`
      : typeof code === "string"
        ? code
        : "the mail was not taken";
  return new DeliveryError(text, { final: isFinal(responseCode), cause: error });
}

function subjectOf(notice: Notice): string {
  return `[Rolecall ${notice.tenantId}] ${notice.type.replace(/^rolecall\./, "").replace(".", " ")}`;
}

function textOf(notice: Notice): string {
  const facts = Object.entries(notice.data).map(
    ([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return [notice.text, "", ...facts, `time: ${new Date(notice.at).toISOString()}`, ""].join("\n");
}
