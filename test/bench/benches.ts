import type { Bench } from './bench.ts'
import { codec } from './codec.ts'
import { coldStart } from './cold-start.ts'
import { evict } from './evict.ts'
import { memory } from './memory.ts'
import { request } from './request.ts'
import { responsiveness } from './responsiveness.ts'
import { throughput } from './throughput.ts'

/** Every benchmark, in the order in which all are run. A new one is a file that exports a `Bench`, and a line here. */
export const benches: readonly Bench[] = [codec, request, throughput, responsiveness, memory, coldStart, evict]
