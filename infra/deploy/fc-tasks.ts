import { createHash } from 'node:crypto'
import type { FcApi } from './fc-api.ts'

/** Calls under way at once: the API takes far more, a task starts no sooner for it. */
const callsAtOnce = 8
/** Bytes of an asynchronous invocation's payload. @see Alibaba Cloud "Function Compute: limits" */
const payloadBytesMax = 128 * 1024

/**
 * Hands the batch function a task for each object of a list, which Function Compute runs at its own pace and tries again.
 *
 * @param lines An object's name each, or a JSON item as an event may have it; empty ones count for nothing.
 * @param run Tells between two runs over one list; within a run, no object is handed over twice.
 * @returns How many tasks there are now, and how many of them had been handed over before.
 */
export async function submitTasks(
  api: Pick<FcApi, 'invokeLater'>,
  functionName: string,
  lines: readonly string[],
  run: string,
): Promise<{ readonly tasks: number; readonly known: number }> {
  const items = [...new Set(lines.map((line) => line.trim()).filter(Boolean))]
  const waiting = items.values()
  let known = 0
  async function work() {
    for (const line of waiting) {
      const payload = Buffer.from(JSON.stringify({ items: [/^[{"]/.test(line) ? JSON.parse(line) : line] }))
      if (payload.length > payloadBytesMax) throw new Error(`Cannot hand over ${line.slice(0, 80)}…: it is too long`)
      const taskId = createHash('sha256').update(`${run}\n${line}`).digest('hex').slice(0, 40)
      if ((await api.invokeLater(functionName, payload, taskId)) === undefined) known++
    }
  }
  await Promise.all(Array.from({ length: callsAtOnce }, work))
  return { tasks: items.length, known }
}
