import type { AuditSink } from "../../audit/audit-sink.ts";
import type { Logger } from "../../model/log.ts";
import { kafkaClient } from "./kafka-client.ts";
import { sayKafkaError } from "./kafka-error.ts";
import type { KafkaOptions } from "./kafka-options.ts";
import { Publisher } from "./publisher.ts";
import { SharedAdmin } from "./shared-admin.ts";

/**
 * The audit topic: a message per record, key the tenant, so that each tenant's records lie in one partition in leaf order. Connections of
 * its own: pages of records are large, and no hint waits behind them.
 */
export function auditTopic(
  options: KafkaOptions,
  logger: Logger,
): AuditSink & { close(): Promise<void> } {
  const kafka = kafkaClient(options, logger);
  const admin = new SharedAdmin(kafka);
  const publisher = new Publisher(kafka, admin, options);
  return {
    async send(tenantId, records) {
      try {
        await publisher.send(
          "audit",
          records.map((item) => ({
            key: tenantId,
            value: JSON.stringify({ format: "rolecall-audit-record/1", tenantId, ...item }),
          })),
        );
      } catch (error) {
        throw new Error(`Kafka takes no audit records: ${sayKafkaError(error)}`, { cause: error });
      }
    },
    async close() {
      await publisher.close();
      await admin.close();
    },
  };
}
