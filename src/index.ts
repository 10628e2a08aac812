/** The public library: everything that `connectors/` stands on, and that a program of one's own needs. */

export { type EffectiveAccessOptions, effectiveAccess } from './access/effective-access.js';
export { type AccessReason, type AccessRow, blanketActions, effectiveAccessSchema } from './access/schema.js';
export { type AccessSelection, selectAccess } from './access/selection.js';
export * from './client/api-errors.js';
export type { ProxySettings } from './client/proxy-address.js';
export { redact } from './client/redact.js';
export { type ClientSettings, type ClientSettingsInput, clientSettings } from './client/settings.js';
export { type Dispatcher, postJson } from './client/transport.js';
export { type Clock, systemClock } from './clock.js';
export { forEachConcurrently } from './concurrency.js';
export { type ChangeKind, type ChangeRow, changesSchema } from './diff/changes.js';
export { type Comparison, type ComparisonOptions, compareSnapshots } from './diff/compare-snapshots.js';
export { type Diff, type DiffOptions, diffSnapshots } from './diff/diff-snapshots.js';
export { columnKinds } from './diff/incomparable.js';
export { type ListState, type ListStates, listStates, parentOf } from './diff/list-states.js';
export { erase } from './erase/erase.js';
export {
  type ErasedDate,
  type EraseOptions,
  type EraseSettings,
  type ErasureResult,
  eraseSettings,
} from './erase/erasure.js';
export * from './errors.js';
export type { ComplianceEvent, ListRef, OnEvent } from './events.js';
export {
  ComplianceClient,
  type ComplianceClientOptions,
  type RateLimit,
} from './extract/compliance-client.js';
export { createFingerprints, type Fingerprints } from './extract/fingerprints.js';
export { verdictOf } from './extract/gone.js';
export type { AllOptions, CallOptions, ListOptions, ListPage, ResumeOptions } from './extract/lists.js';
export type { OrganizationsApi } from './extract/organizations-api.js';
export type { RecordPage } from './extract/record-page.js';
export {
  directoryHistory,
  type History,
  type HistoryOptions,
} from './history/directory-history.js';
export { type Beginning, type Ending, type HistoryRow, historySchema } from './history/history-row.js';
export type { Subject } from './history/selection.js';
export { type Html, html } from './html.js';
export { chooseSnapshot } from './lake/choose-snapshot.js';
export type { PublishedSnapshot } from './lake/file-rows.js';
export { checkLog, currentOf, type Log, type LogEntry, readLog, runDatesOf } from './lake/log.js';
export { formatLogHead, headOfLog, type LogHead, parseLogHead } from './lake/log-head.js';
export {
  covers,
  type Erasure,
  type FileEntry,
  isBackDated,
  isComplete,
  type Manifest,
  manifestFiles,
  manifestSchema,
  type Scope,
  type Slice,
  type Table,
  type TableFile,
} from './lake/manifest.js';
export { newestWith, readCurrent, readManifest, type StoredManifest } from './lake/manifest-file.js';
export { isPartOf } from './lake/paths.js';
export { type Batch, batchMaker, type ColumnBatch, type ServedRecords } from './model/batch.js';
export { jsonSchemaOf } from './model/json-schema.js';
export { createPseudonyms, type Pseudonyms } from './model/pseudonyms.js';
export type { CompactRecord, Extra, Json } from './model/records.js';
export { type Repairs, type Row, rowMaker, type Value } from './model/rows.js';
export { EXTRA, type Field, type FieldType, hasNullableKey, type StreamSchema } from './model/schema.js';
export { formatTimestamp, parseTimestamp, type Timestamp } from './model/timestamp.js';
export { rawOf, textOf } from './raw-text.js';
export type {
  BlanketPermission,
  Count,
  Gap,
  Membership,
  Movement,
  OrganizationFigures,
  Orphan,
  ReportData,
  ReportDay,
  SettingChange,
  SettingValue,
  SeveralOrganizations,
  Shown,
} from './report/data.js';
export { type ReportOptions, reportData } from './report/report-data.js';
export {
  type CheckOptions,
  checkReview,
  type ReviewCheck,
  type ReviewFinding,
  type ReviewFindingKind,
  reviewFindingKinds,
} from './review/check-review.js';
export { EVIDENCE, type Evidence, evidenceSchema } from './review/evidence.js';
export type { ForeignCsv } from './review/read-csv.js';
export {
  type ExceptionRow,
  exceptionsSchema,
  type PopulationRow,
  populationSchema,
} from './review/schema.js';
export { type Review, type ReviewOptions, writeReview } from './review/write-review.js';
export { checkListed } from './run/listed.js';
export { checkRunDate } from './run/run-date.js';
export {
  type Layout,
  layouts,
  marked,
  marks,
  type SnapshotSettings,
  snapshotSettings,
} from './run/settings.js';
export { wavesOf } from './run/slices.js';
export { describeArrow } from './sinks/describe-arrow.js';
export { createSink, decodeFile, type EncodedFile, sinkFormats } from './sinks/index.js';
export { jsonRows } from './sinks/json-rows.js';
export { jsonText } from './sinks/json-text.js';
export type { Block, Regrouping } from './sinks/regrouping.js';
export type { Sink, SinkFormat, SinkOptions } from './sinks/sink.js';
export { type SnapshotOptions, snapshot, type Target } from './snapshot.js';
export { checkedBytes, drain } from './storage/checked-bytes.js';
export { isLocalLocation, openStorage, secretStorageOptions } from './storage/index.js';
export { LocalStorage, type LocalStorageOptions } from './storage/local.js';
export { STAGING } from './storage/own-folders.js';
export { withScratch } from './storage/scratch.js';
export type { FinishedFile, Irregularity, Storage, StoredObject, Written } from './storage/storage.js';
export { type ApiKey, apiKeys } from './streams/api-keys.js';
export { type GroupMember, groupMembers } from './streams/group-members.js';
export { type Group, groups } from './streams/groups.js';
export { DATASET, scopedStream, streams } from './streams/index.js';
export { type OrganizationSetting, organizationSettings } from './streams/organization-settings.js';
export { type Organization, organizations } from './streams/organizations.js';
export { type RolePermission, rolePermissions } from './streams/role-permissions.js';
export { type Role, roles } from './streams/roles.js';
export {
  aboveOf,
  ancestorsOf,
  keyText,
  ownKey,
  type ParentKey,
  parentKeys,
  type Stream,
  type StreamRecord,
} from './streams/stream.js';
export { type OrganizationUser, type User, users } from './streams/users.js';
export {
  type Compaction,
  type CompactOptions,
  type CompactPlan,
  type CompactSettings,
  compact,
  compactSettings,
} from './upkeep/compact.js';
export type { Finding } from './upkeep/finding.js';
export {
  listSnapshots,
  type SnapshotList,
  type SnapshotSummary,
  type StreamCount,
  type UnreadableSnapshot,
} from './upkeep/list-snapshots.js';
export { type PruneOptions, type PruneSettings, prune, pruneSettings } from './upkeep/prune.js';
export type { DatedFiles, KeptDate, PrunePlan, UnprunedDate } from './upkeep/prune-plan.js';
export type { KeepReason } from './upkeep/retention.js';
export { type Verification, type VerifyRequest, verify } from './upkeep/verify.js';
export { VERSION } from './version.js';
