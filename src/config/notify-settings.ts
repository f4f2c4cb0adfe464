import { list, setting, text, type Setting } from "./setting.ts";

/** Where notices go; undefined parts: nobody is told that way. */
export interface NotifyConfig {
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
  readonly email:
    { readonly smtpUrl: string; readonly from: string; readonly to: readonly string[] } | undefined;
  readonly topics: readonly NoticeTopic[];
}

const usualTopics = ["hold", "deadline", "finding", "case", "task", "record"] as const;
/** Checkpoints of the record come each minute: only who asks for them gets them, and no mailbox does. */
const noticeTopics = [...usualTopics, "checkpoint"] as const;
type NoticeTopic = (typeof noticeTopics)[number];

const address = /^[^@\s<>,]+@[^@\s<>,]+$/;

const webhookUrl = text((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw new Error("write an https URL");
  const own = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol === "http:" && !own)
    throw new Error("write https: what leavers owe travels over it");
  return url.href;
});

const webhookSecret = text((value) => {
  if (/^[\x21-\x7e]{24,512}$/.test(value)) return value;
  throw new Error(
    "write 24 to 512 visible ASCII characters, for example `whsec_` and the output of `openssl rand -base64 32`",
  );
});

const addresses = text((value) => {
  const items = list(value);
  for (const item of items)
    if (!address.test(item)) throw new Error("write e-mail addresses, divided by commas");
  return items;
});

const smtpUrl = text((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !["smtp:", "smtps:"].includes(url.protocol) || url.hostname === "")
    throw new Error("write smtp://user:password@host:587 or smtps://user:password@host:465");
  return value;
});

const sender = text((value) => {
  if (address.test(/<([^<>]+)>$/.exec(value)?.[1] ?? value)) return value;
  throw new Error("write an address, or a name and an address in angle brackets");
});

const chosen = text((value): readonly NoticeTopic[] => {
  const items = list(value);
  const wrong = items.filter((item) => !noticeTopics.some((topic) => topic === item));
  if (wrong.length > 0) throw new Error(`write some of ${noticeTopics.join(", ")}`);
  return noticeTopics.filter((topic) => items.includes(topic));
});

export const notifySettings = {
  notifyWebhook: setting({
    name: "ROLECALL_NOTIFY_WEBHOOK",
    description:
      "Where holds, deadlines, urgent findings and completed leaver cases are sent, as signed CloudEvents. An address inside this network must stand in `ROLECALL_INNER_HOSTS`.",
    defaultSays: "nobody is told",
    example: "https://hooks.example.com/rolecall",
    secret: true,
    schema: webhookUrl,
  }),
  notifySecret: setting({
    name: "ROLECALL_NOTIFY_SECRET",
    description:
      "Key of the webhook's signature (Standard Webhooks, HMAC-SHA-256 over id, timestamp and body).",
    example: "whsec_ and the output of `openssl rand -base64 32`",
    secret: true,
    schema: webhookSecret,
  }),
  notifyEmail: setting({
    name: "ROLECALL_NOTIFY_EMAIL",
    description: "Who gets the same by mail; needs `ROLECALL_SMTP_URL` and `ROLECALL_MAIL_FROM`.",
    defaultSays: "nobody",
    example: "it@example.com, security@example.com",
    schema: addresses,
  }),
  notifyTopics: setting({
    name: "ROLECALL_NOTIFY_TOPICS",
    description:
      "Which of `hold`, `deadline`, `finding`, `case`, `task`, `record`, `checkpoint` are told; checkpoints by webhook alone.",
    default: usualTopics.join(","),
    example: "hold,deadline",
    schema: chosen,
  }),
  smtpUrl: setting({
    name: "ROLECALL_SMTP_URL",
    description:
      "Mail server: `smtps://` speaks TLS at once, `smtp://` turns to TLS where the server can; `?requireTLS=true` refuses to go without.",
    defaultSays: "no mail",
    example: "smtps://rolecall:secret@mail.example.com:465",
    secret: true,
    schema: smtpUrl,
  }),
  mailFrom: setting({
    name: "ROLECALL_MAIL_FROM",
    description: "Sender of mails.",
    defaultSays: "no mail",
    example: "Rolecall <rolecall@example.com>",
    schema: sender,
  }),
} as const satisfies Readonly<Record<string, Setting>>;

interface NotifyValues {
  readonly notifyWebhook: string | undefined;
  readonly notifySecret: string | undefined;
  readonly notifyEmail: readonly string[] | undefined;
  readonly notifyTopics: readonly NoticeTopic[] | undefined;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string | undefined;
}

export function readNotify(values: NotifyValues): NotifyConfig {
  const { notifyWebhook, notifySecret, notifyEmail, smtpUrl: server, mailFrom } = values;
  return {
    webhook:
      notifyWebhook === undefined || notifySecret === undefined
        ? undefined
        : { url: notifyWebhook, secret: notifySecret },
    email:
      server === undefined || mailFrom === undefined || notifyEmail === undefined
        ? undefined
        : { smtpUrl: server, from: mailFrom, to: notifyEmail },
    topics: values.notifyTopics ?? usualTopics,
  };
}

/** Half a way out tells nobody, and nobody would notice. */
export function notifyContradictions(values: NotifyValues): readonly string[] {
  const problems: string[] = [];
  if (values.notifyWebhook !== undefined && values.notifySecret === undefined)
    problems.push("ROLECALL_NOTIFY_SECRET: is needed with ROLECALL_NOTIFY_WEBHOOK");
  if (values.notifyEmail !== undefined) {
    if (values.smtpUrl === undefined)
      problems.push("ROLECALL_SMTP_URL: is needed with ROLECALL_NOTIFY_EMAIL");
    if (values.mailFrom === undefined)
      problems.push("ROLECALL_MAIL_FROM: is needed with ROLECALL_NOTIFY_EMAIL");
  }
  return problems;
}
