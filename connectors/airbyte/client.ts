import { type Clock, ComplianceClient, type OnEvent } from '../../src/index.js';
import { proxyOf } from '../kit/connection.js';
import type { SourceSettings } from './config.js';
import type { Output } from './output.js';

/** The parts of the process that a command may use. */
export interface CommandContext {
  output: Output;
  environment: NodeJS.ProcessEnv;
  signal: AbortSignal;
  clock: Clock;
}

/** A client for the settings of this source. */
export function openClient(
  { concurrency: _, ...settings }: SourceSettings,
  { environment, signal, clock }: CommandContext,
  onEvent: OnEvent = () => {},
): ComplianceClient {
  return new ComplianceClient({ ...settings, proxy: proxyOf(environment), clock, signal, onEvent });
}
