// Goal: both buses do the same for those above them.
// Method: one suite, run on the bus of one process and on a real Apache Kafka.
import { localBus } from "../../src/adapters/local/local-bus.ts";
import { systemClock } from "../../src/model/clock.ts";
import { kafkaBusFor } from "../support/kafka/kafka-bus-for.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";
import { hintBusSuite } from "./hint-bus-suite.ts";

hintBusSuite("in one process", () => ({
  open: () => localBus({ clock: systemClock() }),
  keeps: false,
}));

describeReal("hint bus: Apache Kafka", await sharedKafka(), (kafka) => {
  hintBusSuite("Apache Kafka", () => {
    const prefix = kafka.freshPrefix();
    return { open: () => kafkaBusFor(kafka.brokers, { prefix }).bus, keeps: true };
  });
});
