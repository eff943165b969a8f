import { EasError, oneLine } from '@eas/base'
import { batchScorerFromEnv, batchService } from '@eas/batch'
import { awsWork, failuresText, loadedWithin, workOn } from '@eas/event-sources'
import { lambdaCore } from './core.ts'
import { type Context, entry } from './middleware.ts'
import { fromWorkResult } from './work-reply.ts'

/** Left before Lambda ends the invocation, for the answer. */
const marginMs = 2000

const core = await lambdaCore({ adapt: batchService })
const { processor, service, log } = core
const scorer = batchScorerFromEnv(core, process.env)

/** AWS Lambda behind S3, EventBridge, SQS, SNS or a Step Functions Distributed Map. */
export const handler = entry(processor, async (event: object, context: Context) => {
  const work = awsWork(event)
  if (!work)
    throw new EasError('invalid_request', `Cannot read the event: it has ${oneLine(Object.keys(event).join(', '))}`)
  const deadline = Date.now() + context.getRemainingTimeInMillis() - marginMs
  await loadedWithin(processor, deadline - Date.now())
  const result = await workOn(work.items, { scorer, deadline, concurrency: service.workersMax })
  if (result.failures.length > 0) log.error(failuresText(result, work.items.length))
  return fromWorkResult(work, result)
})
