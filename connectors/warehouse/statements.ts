/** Runs a statement, or several, unless the load was stopped. */
export type RunStatement = <T>(statement: () => Promise<T>) => Promise<T>;

/**
 * Statements of a load that may be stopped: what fails after that is reported as the stop, whatever the engine says.
 * @param explain makes our own error of the engine's
 */
export const statements =
  (signal: AbortSignal, explain: (error: unknown) => Error): RunStatement =>
  async (statement) => {
    signal.throwIfAborted();
    try {
      return await statement();
    } catch (error) {
      signal.throwIfAborted();
      throw explain(error);
    }
  };
