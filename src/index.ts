/** The public library: everything that `connectors/` stands on, and that a program of one's own needs. */

export * from './api-errors.js';
export { type ClientSettings, type ClientSettingsInput, clientSettings } from './client/settings.js';
export type { Dispatcher, ProxySettings } from './client/transport.js';
export { type Clock, systemClock } from './clock.js';
export * from './errors.js';
export type { ComplianceEvent, OnEvent } from './events.js';
export {
  ComplianceClient,
  type ComplianceClientOptions,
  type RateLimit,
} from './extract/compliance-client.js';
export { createFingerprints, type Fingerprints } from './extract/fingerprints.js';
export { streams } from './extract/index.js';
export type {
  AllUsersOptions,
  CallOptions,
  OrganizationPage,
  OrganizationsApi,
  ResumeOptions,
  UserList,
  UserListOptions,
  UserPage,
  UserWalkOptions,
} from './extract/organizations-api.js';
export type { RecordPage } from './extract/walk.js';
export { jsonSchemaOf } from './json-schema.js';
export {
  type Extra,
  type Json,
  type Organization,
  type OrganizationUser,
  parseOrganization,
  parseUser,
  type User,
} from './records.js';
export { redact } from './redact.js';
export { type Repairs, type Row, rowMaker, type Value } from './rows.js';
export {
  type Field,
  type FieldType,
  organizationsSchema,
  SCHEMA_VERSION,
  type StreamSchema,
  usersSchema,
} from './schema.js';
export { describeArrow } from './sinks/columns.js';
export { createSink, sinkFormats } from './sinks/index.js';
export type { Block, Regrouping } from './sinks/regrouping.js';
export type { Sink, SinkFormat, SinkOptions } from './sinks/sink.js';
export {
  type Compaction,
  type CompactOptions,
  type CompactSettings,
  compact,
  compactSettings,
} from './snapshot/compact.js';
export { RefusedError } from './snapshot/guard.js';
export { checkListed } from './snapshot/listed.js';
export { LockedError } from './snapshot/lock.js';
export {
  covers,
  type FileEntry,
  isFull,
  type Layout,
  layouts,
  type Manifest,
  manifestFiles,
  manifestSchema,
  type Scope,
  type Slice,
} from './snapshot/manifest.js';
export { newestSnapshot, readManifest } from './snapshot/manifest-file.js';
export {
  type DatedFiles,
  type PruneOptions,
  type PruneSettings,
  type Pruning,
  prune,
  pruneSettings,
} from './snapshot/prune.js';
export { type SnapshotSettings, snapshotSettings } from './snapshot/settings.js';
export { type SnapshotOptions, snapshot, type Target } from './snapshot/snapshot.js';
export { type Verification, verify } from './snapshot/verify.js';
export type { Finding } from './snapshot/verify-date.js';
export { isLocalLocation, openStorage, secretStorageOptions } from './storage/index.js';
export { LocalStorage, type LocalStorageOptions } from './storage/local.js';
export type { StagedFolder, Storage, StoredObject, Written } from './storage/storage.js';
export { sweepTemporaries, temporaryKey } from './storage/temporary.js';
export { parseTimestamp, type Timestamp } from './timestamp.js';
export { VERSION } from './version.js';
