import type { Logger, Processor } from '@eas/processor'
import type { HttpServer } from './server.ts'

/** Milliseconds that the last closings may take once all connections are, and writing the log after these. */
const cutOffMs = 500

/**
 * Ends the process cleanly: every open request is answered, every model ended, the log written. After `graceMs` what is
 * left is cut off, by a signal, since a thread within native code cannot be ended in any gentler way.
 */
export async function endProcess(http: HttpServer, processor: Processor, log: Logger, graceMs: number): Promise<void> {
  setTimeout(() => afterLog(log, () => process.kill(process.pid, 'SIGKILL')), graceMs + cutOffMs)
  await http.drain(graceMs)
  await processor.close()
  afterLog(log, () => process.exit(0))
}

/** A log that cannot be written, as on a full disk, need not say that it is. */
function afterLog(log: Logger, end: () => void): void {
  setTimeout(end, cutOffMs)
  log.flush(end)
}
