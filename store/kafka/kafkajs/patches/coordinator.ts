import { replaceKafkajsModule } from './module.ts';

type Asked = { groupId: string; coordinatorType?: number };
type Broker = { findGroupCoordinator(asked: Asked): Promise<object> };
type Cluster = {
  brokerPool: { findConnectedBroker(): Promise<Broker> };
  findGroupCoordinatorMetadata(asked: Asked): Promise<object>;
};

const NOT_FOUND = 'KafkaJSGroupCoordinatorNotFound';

/**
 * kafkajs asks all brokers for the coordinator of a group, and drops their errors, such as a missing permission. With this patch it asks
 * one of them again, and throws that broker's error.
 */
export function tellWhyNoCoordinator(): boolean {
  return replaceKafkajsModule<{ prototype: Cluster }>('cluster/index', (original) => {
    const { prototype } = original;
    const find = prototype?.findGroupCoordinatorMetadata;
    if (typeof find !== 'function') return undefined;
    prototype.findGroupCoordinatorMetadata = async function (this: Cluster, asked: Asked) {
      try {
        return await find.call(this, asked);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== NOT_FOUND) throw error;
        const broker = await this.brokerPool.findConnectedBroker();
        return broker.findGroupCoordinator(asked);
      }
    };
    return original;
  });
}
