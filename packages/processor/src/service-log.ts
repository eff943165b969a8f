import type { Logger } from './log.ts'
import type { ServiceEvent } from './service-types.ts'

/** A line for each thing that happens to a service. */
export function logServiceEvent(log: Logger, service: string, event: ServiceEvent) {
  switch (event.kind) {
    case 'loaded': {
      const { execution_provider, loadMs, warnings, inputs, outputs } = event.info
      for (const warning of warnings) log.warn({ service }, warning)
      const names = { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) }
      const { workers } = event
      return log.info({ service, execution_provider, loadMs: Math.round(loadMs), workers, ...names }, 'model loaded')
    }
    case 'load_failed':
    case 'unavailable':
      return log.error({ service, error: event.error.message, retryInMs: event.retryInMs }, 'model not loaded')
    case 'worker_died': {
      const { reason, lost, retryInMs } = event
      return log.error({ service, reason, lost, retryInMs }, 'model worker died')
    }
    case 'replaced':
      return log.info({ service, version: event.version }, 'model replaced by a newer version')
    case 'not_replaced':
      return log.error({ service, error: event.error.message }, 'model not replaced, the old version goes on')
    case 'prepared':
      return log.info({ service, folder: event.folder }, 'model prepared for later starts')
    case 'not_prepared':
      return log.warn({ service, error: event.error.message }, 'model not prepared')
    case 'evicted':
      return log.info({ service, bytes: event.bytes }, 'model unloaded')
    case 'warmed': {
      const level = event.report.firstFailure === undefined ? 'info' : 'warn'
      return log[level]({ service, ...event.report }, 'model warmed up')
    }
    case 'not_kept':
      return log.warn({ service, error: event.error.message }, 'request not kept for warm-up')
    case 'not_written':
      return log.warn({ service, error: event.error.message }, 'requests not written to disk')
    case 'noted':
      return log.info({ service, ...event.facts }, event.message)
  }
}
