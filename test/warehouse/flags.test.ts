import { describe, expect, it } from 'vitest';
import { claudeCompliance } from './support/command.js';

describe('the flags of load', () => {
  it.each([
    [['duckdb', '--dialect', 'snowflake', '--from', 'x'], '--dialect is for load sql'],
    [['sql', '--dialect', 'snowflake'], 'load sql needs --from'],
    [['sql', '--from', 'x'], 'load sql needs --dialect'],
    [['duckdb'], 'the key is missing'],
    [['duckdb', '--run-date', 'latest'], '--run-date latest needs --from'],
    [['duckdb', '--from', 'x', '--org', '00000000-0000-4000-8000-000000000000'], '--org chooses'],
    [['postgres', '--database', 'x', '--from', 'x'], '--database is for load duckdb'],
    [['duckdb', '--from', 'x', '--streams', 'hats'], '--streams'],
  ])('%j are refused: %s', async (args, message) => {
    const { exitCode, stderr } = await claudeCompliance(['load', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
