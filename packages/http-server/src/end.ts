import type { Logger, Processor } from '@eas/processor'
import type { HttpServer } from './server.ts'

/** Milliseconds that the last closings may take once all connections are. */
const cutOffMs = 500

/**
 * Ends the process cleanly: every open request is answered, every model ended, the log written. After `graceMs` what is
 * left is cut off, by a signal, since a thread within native code cannot be ended in any gentler way.
 */
export async function endProcess(http: HttpServer, processor: Processor, log: Logger, graceMs: number): Promise<void> {
  const cutOff = () => process.kill(process.pid, 'SIGKILL')
  setTimeout(() => log.flush(cutOff), graceMs + cutOffMs)
  await http.drain(graceMs)
  await processor.close()
  log.flush(() => process.exit(0))
}
