import kafkajs, { type Admin } from 'kafkajs';
import { createAcls, deleteAcl } from '../parts/kafka-admin.ts';
import type { KafkaSecurity } from '../parts/kafka-security.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** A permission of docs/kafka.md that is taken away. */
export type Permission = {
  whose: 'sidecar' | 'sink';
  on: 'topic' | 'group' | 'dead';
  operation: 'READ' | 'WRITE' | 'DESCRIBE';
  /** Needed only where there is something to give up. */
  forDead?: boolean;
};

/** Each that sidecar and sink need. */
export const PERMISSIONS: Permission[] = [
  { whose: 'sidecar', on: 'topic', operation: 'WRITE' },
  { whose: 'sidecar', on: 'topic', operation: 'DESCRIBE' },
  { whose: 'sidecar', on: 'dead', operation: 'WRITE', forDead: true },
  { whose: 'sidecar', on: 'dead', operation: 'DESCRIBE', forDead: true },
  { whose: 'sink', on: 'group', operation: 'READ' },
  { whose: 'sink', on: 'group', operation: 'DESCRIBE' },
  { whose: 'sink', on: 'topic', operation: 'READ' },
  { whose: 'sink', on: 'topic', operation: 'DESCRIBE' },
  { whose: 'sink', on: 'dead', operation: 'WRITE', forDead: true },
  { whose: 'sink', on: 'dead', operation: 'DESCRIBE', forDead: true },
];

/** Names of what is allowed and denied. */
export type Resources = Record<Permission['on'], string>;

/** Lets the user of the tests do everything with these; what is taken away is then denied, which counts for more. */
export async function allowAll(admin: Admin, resources: Resources, security: KafkaSecurity): Promise<void> {
  const acl = (['topic', 'dead', 'group'] as const).map((on) => ({
    ...entry({ on, operation: 'ALL' }, resources, security),
    permissionType: AclPermissionTypes.ALLOW,
  }));
  await createAcls(admin, acl);
}

export async function take(
  admin: Admin,
  permission: Permission,
  resources: Resources,
  security: KafkaSecurity,
): Promise<void> {
  await createAcls(admin, [entry(permission, resources, security)]);
}

export async function giveBack(
  admin: Admin,
  permission: Permission,
  resources: Resources,
  security: KafkaSecurity,
): Promise<void> {
  await deleteAcl(admin, entry(permission, resources, security));
}

function entry(
  { on, operation }: { on: Permission['on']; operation: Permission['operation'] | 'ALL' },
  resources: Resources,
  { username }: KafkaSecurity,
) {
  return {
    principal: `User:${username}`,
    host: '*',
    permissionType: AclPermissionTypes.DENY,
    operation: AclOperationTypes[operation],
    resourceType: on === 'group' ? AclResourceTypes.GROUP : AclResourceTypes.TOPIC,
    resourceName: resources[on],
    resourcePatternType: ResourcePatternTypes.LITERAL,
  };
}
