import { batch } from './batch.ts'
import type { Bench } from './bench.ts'
import { codec } from './codec.ts'
import { coldStart } from './cold-start.ts'
import { evict } from './evict.ts'
import { featureStore } from './feature-store.ts'
import { fg } from './fg.ts'
import { fgHash } from './fg-hash.ts'
import { fgScale } from './fg-scale.ts'
import { fgText } from './fg-text.ts'
import { handlers } from './handlers.ts'
import { memory } from './memory.ts'
import { recall } from './recall.ts'
import { recommender } from './recommender.ts'
import { request } from './request.ts'
import { responsiveness } from './responsiveness.ts'
import { tensorflowModels } from './tensorflow-models.ts'
import { throughput } from './throughput.ts'
import { torchImport } from './torch-import.ts'
import { torchModels } from './torch-models.ts'

/** Every benchmark, in the order in which all are run. A new one is a file that exports a `Bench`, and a line here. */
export const benches: readonly Bench[] = [
  codec,
  request,
  throughput,
  responsiveness,
  memory,
  coldStart,
  evict,
  handlers,
  torchModels,
  torchImport,
  tensorflowModels,
  fg,
  fgScale,
  fgHash,
  fgText,
  recommender,
  featureStore,
  recall,
  batch,
]
