import { type Admin, Kafka, logLevel } from 'kafkajs';

/** Asks a Kafka by an admin client of kafkajs, which is connected only for that. */
export async function withAdmin<Value>(
  { brokers }: { brokers: string[] },
  ask: (admin: Admin) => Promise<Value>,
): Promise<Value> {
  const admin = new Kafka({ brokers, clientId: 'hotitem-test', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}
