import type { Config } from "./config/config.ts";
import type { HttpPools } from "./http/http-pools.ts";
import type { Channel } from "./notify/channel.ts";
import { emailChannel } from "./notify/email.ts";
import { webhookChannel } from "./notify/webhook.ts";

/** The ways out to people that the environment names. */
export function openChannels(
  { notify }: Pick<Config, "notify">,
  parts: { readonly pools: HttpPools; readonly publicUrl: string },
): { readonly channels: readonly Channel[]; close(): void } {
  const { webhook, email, topics } = notify;
  const mail =
    email === undefined
      ? undefined
      : emailChannel({ ...email, topics: topics.filter((topic) => topic !== "checkpoint") });
  const channels = [
    ...(webhook === undefined ? [] : [webhookChannel({ ...webhook, topics, ...parts })]),
    ...(mail === undefined ? [] : [mail]),
  ];
  return {
    channels,
    close() {
      mail?.close();
    },
  };
}
