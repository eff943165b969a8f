import { folderOf, importSavedModel } from '@eas/import-savedmodel'
import { median } from './interleave.ts'

/**
 * Imports a SavedModel in this process, for tensorflow-models.ts: prints the milliseconds of the first time, the median of
 * ten more, and by how many megabytes the process's peak grew.
 */
const directory = folderOf(process.argv[2] ?? '')
const before = process.resourceUsage().maxRSS * 1024

async function once(): Promise<number> {
  const begun = performance.now()
  await importSavedModel(directory)
  return performance.now() - begun
}

const first = await once()
const peak = process.resourceUsage().maxRSS * 1024
const later: number[] = []
for (let i = 0; i < 10; i++) later.push(await once())
process.stdout.write(`${first} ${median(later)} ${(peak - before) / 1e6}\n`)
