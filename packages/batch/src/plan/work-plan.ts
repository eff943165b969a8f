import { digest } from '../engine/names.ts'
import type { ListedObject } from './list-objects.ts'

/** One object, as the functions' event entries take it. */
export interface PlannedItem {
  readonly uri: string
  readonly size: number
  readonly version: string
}

/** What an engine is handed at once. */
export interface PlannedTask {
  /** From what is in it: an engine that is handed the same twice runs it once, where it knows ids. */
  readonly id: string
  readonly items: readonly PlannedItem[]
}

/** How an engine takes work. */
export interface PlanTarget {
  readonly meaning: string
  /** Bytes of the JSON of one task. */
  readonly taskBytesMax: number
  /** Objects of one task, unless fewer are asked for. */
  readonly itemsMax: number
  /** A line of the plan. */
  line(task: PlannedTask): string
}

const KiB = 1024
const json = ({ items }: PlannedTask) => JSON.stringify({ items })

/** Engines that run the plan: each with its own limits on what is handed over, retries and concurrency. */
export const planTargets = {
  /** @see Cloud Run "Create jobs", "Array jobs": the list is `EAS_MANIFEST`, and each task takes its share of the lines */
  'cloud-run-job': {
    meaning: 'a line per object, the `EAS_MANIFEST` of a Cloud Run job',
    taskBytesMax: 64 * KiB,
    itemsMax: 1,
    line: ({ items: [item] }) => JSON.stringify(item),
  },
  /** @see AWS Step Functions "ItemReader", JSONL: at most 8 MB a line; ItemBatcher makes batches of them */
  'distributed-map': {
    meaning: 'a line per object, the JSONL that the `ItemReader` of a Distributed Map reads',
    taskBytesMax: 64 * KiB,
    itemsMax: 1,
    line: ({ items: [item] }) => JSON.stringify(item),
  },
  /** @see Function Compute "Limits": 128 KB of asynchronous request */
  'fc-task': {
    meaning: '`{ id, payload }` per task: `x-fc-async-task-id`, and what the function is invoked with',
    taskBytesMax: 120 * KiB,
    itemsMax: 100,
    line: (task) => JSON.stringify({ id: task.id, payload: { items: task.items } }),
  },
  /** @see Amazon SQS "Quotas": 256 KiB a message */
  sqs: {
    meaning: 'a message body per line',
    taskBytesMax: 240 * KiB,
    itemsMax: 10,
    line: json,
  },
  /** @see Google Cloud Pub/Sub "Quotas and limits": 10 MB a message */
  pubsub: {
    meaning: 'the data of a message per line',
    taskBytesMax: 1024 * KiB,
    itemsMax: 10,
    line: json,
  },
} as const satisfies { readonly [engine: string]: PlanTarget }

export type PlanTargetName = keyof typeof planTargets
export const planTargetNames = Object.keys(planTargets) as readonly PlanTargetName[] // its keys

/**
 * Cuts listed objects into tasks, in their order, one after the other as they are listed: however many there are, one task is
 * held at a time. The same objects make the same tasks.
 *
 * @param itemsMax Objects of one task. Default: the engine's.
 */
export async function* planWork(
  objects: AsyncIterable<ListedObject>,
  target: PlanTarget,
  itemsMax: number = target.itemsMax,
): AsyncGenerator<PlannedTask, void, void> {
  let items: PlannedItem[] = []
  let bytes = 0
  const limit = Math.min(itemsMax, target.itemsMax)
  for await (const { store, info } of objects) {
    const item = { uri: `${store.url}/${info.key}`, size: info.size, version: info.version }
    // JSON of an id and of a key of 1,024 bytes, most of them escaped, is far below any engine's limit.
    const itemBytes = Buffer.byteLength(JSON.stringify(item)) + 1
    if (items.length > 0 && (items.length >= limit || bytes + itemBytes > target.taskBytesMax)) {
      yield taskOf(items)
      items = []
      bytes = 0
    }
    items.push(item)
    bytes += itemBytes
  }
  if (items.length > 0) yield taskOf(items)
}

const taskOf = (items: readonly PlannedItem[]): PlannedTask => ({
  id: digest(JSON.stringify(items.map(({ uri, version }) => [uri, version]))).slice(0, 32),
  items,
})
