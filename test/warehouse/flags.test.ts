import { describe, expect, it } from 'vitest';
import { claudeCompliance } from './support/command.js';

describe('the flags of load', () => {
  it.each([
    [['duckdb', '--dialect', 'snowflake', '--from', 'x'], '--dialect is for load sql'],
    [['sql', '--dialect', 'snowflake'], 'load sql needs --from'],
    [['sql', '--from', 'x'], 'load sql needs --dialect'],
    [['duckdb'], 'the key is missing'],
    [['duckdb', '--run-date', 'latest'], '--run-date latest needs --from'],
    [['duckdb', '--run-date', '2026-11-01..2026-11-23'], '--run-date 2026-11-01..2026-11-23 needs --from'],
    [['duckdb', '--all'], '--all needs --from'],
    [['duckdb', '--from', 'x', '--all', '--run-date', 'latest'], '--all leaves nothing to --run-date'],
    [['duckdb', '--from', 'x', '--run-date', '2026-11-23..2026-11-01'], 'ends before it begins'],
    [['duckdb', '--from', 'x', '--run-date', '2026-11-23..'], '--run-date must be latest, a day'],
    [['duckdb', '--from', 'x', '--run-date', '2026-02-30..2026-03-01'], '--run-date must be latest, a day'],
    [['duckdb', '--from', 'x', '--run-date', 'newest'], '--run-date must be latest, a day'],
    [['sql', '--dialect', 'snowflake', '--from', 'x', '--all'], 'the script of one snapshot'],
    [['duckdb', '--from', 'x', '--org', '00000000-0000-4000-8000-000000000000'], '--org chooses'],
    [['postgres', '--database', 'x', '--from', 'x'], '--database is for load duckdb'],
    [['duckdb', '--from', 'x', '--streams', 'hats'], '--streams'],
  ])('%j are refused: %s', async (args, message) => {
    const { exitCode, stderr } = await claudeCompliance(['load', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
