// Fetches what the tests need of Apache Kafka into the cache, where it is not there yet; says where, or why not.
import { kafkaJars } from "./kafka-jars.ts";

const found = await kafkaJars();
process.stdout.write("server" in found ? `in ${found.server}\n` : `${found.missing}\n`);
if ("missing" in found) process.exitCode = 1;
