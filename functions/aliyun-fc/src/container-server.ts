import { batchScorerFromEnv, batchService } from '@eas/batch'
import { beginWithin, loadedWithin, platformLimits } from '@eas/event-sources'
import { createHttpServer, endProcess } from '@eas/http-server'
import type { Exchange } from '@eas/processor'
import type { EasRequestHead } from '@eas/protocol'
import { beginControl, credentialsOf } from './control.ts'
import { startInstance } from './core.ts'

/**
 * Function Compute's custom containers, with or without a GPU, 2.0 and 3.0: predictions, lifecycle hooks, and events, which
 * are for another function of the same image. Resolves when it listens.
 */
export async function serve(): Promise<void> {
  const takesEvents = Boolean(process.env.EAS_BATCH_OUTPUT)
  const core = await startInstance({ runsOn: true, ...(takesEvents ? { adapt: batchService } : {}) })
  const { processor, service, settings, log, credentials } = core
  const scorer = takesEvents ? batchScorerFromEnv(core, process.env) : undefined

  const underWay = new Set<Promise<unknown>>()
  const idle = async () => void (await Promise.allSettled(underWay))

  /** A prediction; the first waits for the model, as far as no initializer has loaded it. */
  function beginPrediction(head: EasRequestHead): Exchange {
    const exchange = beginWithin(processor, platformLimits.aliyunFcContainer, head)
    return {
      ...exchange,
      async finish(body, client) {
        await loadedWithin(processor, service.rpc.keepalive)
        return exchange.finish(body, client)
      },
    }
  }

  /** Everything that goes on for a request goes on with its credentials, and is waited for by the pre-stop hook. */
  function begin(head: EasRequestHead): Exchange {
    const exchange = beginControl(head, { core, scorer, idle }) ?? beginPrediction(head)
    return {
      ...exchange,
      finish(body, client) {
        const answer = credentials.with(credentialsOf(head), () => exchange.finish(body, client))
        if (head.headers['x-fc-control-path'] !== '/pre-stop') underWay.add(answer) // it would wait for itself
        void answer.finally(() => underWay.delete(answer))
        return answer
      },
    }
  }

  const http = createHttpServer({ processor, bodyBytesMax: settings.bodyBytesMax, begin })
  process.once('SIGTERM', () => {
    log.info('draining')
    void endProcess(http, processor, log, service.graceMs)
  })
  const port = await http.listen(Number(process.env.FC_SERVER_PORT || process.env.PORT || 9000), '0.0.0.0')
  log.info({ port }, 'listening')
}
