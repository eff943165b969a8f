/**
 * ONNX Runtime as it is published on npm tells Microsoft what sessions it creates and runs, and keeps a database below the
 * home folder until it has. A service answers to its owner alone, so it does not, unless its environment says `0`.
 *
 * The native library reads the environment of the process when it is loaded, and a worker thread's `process.env` is a copy of
 * it: this has to run on the main thread before the first session.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
}
