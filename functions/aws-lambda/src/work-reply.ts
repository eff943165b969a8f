import { EasError } from '@eas/base'
import { type AwsWork, failuresText, type WorkResult } from '@eas/event-sources'

/** @see AWS Lambda "Using Lambda with Amazon SQS", `ReportBatchItemFailures` */
export interface BatchItemFailures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** What the next state of a Distributed Map gets. */
export type ItemResults = WorkResult

/**
 * How the caller hears what became of its work.
 * @throws {EasError} `internal` when there are failures and it can be told in no other way: it then invokes again.
 */
export function fromWorkResult({ reply, items }: AwsWork, result: WorkResult): BatchItemFailures | ItemResults {
  const { failures } = result
  if (reply === 'itemResults') return result
  const isTellable = reply === 'batchItemFailures' && failures.every(({ id }) => id !== '') // an empty id fails them all
  if (failures.length > 0 && !isTellable) throw new EasError('internal', failuresText(result, items.length))
  return reply === 'batchItemFailures'
    ? { batchItemFailures: failures.map(({ id }) => ({ itemIdentifier: id })) }
    : result
}
