import { EasError, type Tensor } from '@eas/base'
import { type BatchScorer, createBatch, defaultOptions } from '@eas/batch'
import { Bucket, type Faults, faultyStore, type SimulatedProcess } from './store.ts'
import { skewedClock, World } from './world.ts'

/** What a seed has come to, for the check. */
export interface Ran {
  readonly seed: number
  readonly kind: Kind
  readonly results: Bucket
  readonly inputs: Bucket
  /** Every version of every object, in the order in which they were written. */
  readonly written: ReadonlyMap<string, readonly { readonly version: string; readonly rows: readonly Row[] }[]>
  readonly chunkRows: number
  readonly versionsAreDigests: boolean
  readonly kills: number
  /** How often each row has been computed, by its id. */
  readonly computed: ReadonlyMap<number, number>
  /** Whether everything came to an end in time. */
  readonly ended: boolean
  /** What happened, one line each. */
  readonly story: readonly string[]
}

/** `all`: everything that can go wrong. `kills`: nothing but kills, one delivery at a time, so that work can be counted. */
export type Kind = 'all' | 'kills'

export interface Row {
  readonly id: number
  readonly text: string
  /** What the result of the row is; `undefined` for poison. */
  readonly result: number | undefined
}

/** Virtual milliseconds with faults; after them everything has to come to its end. */
const faultyMs = 20_000
/** Within these, objects are written: close enough that attempts at one version meet those at the next. */
const writingMs = 3000
const endMs = 3_600_000
const folder = 'in'
export const outputRoot = 'results'

/** Plays one seed. The same seed plays the same, byte for byte. */
export async function play(seed: number): Promise<Ran> {
  const world = new World(seed)
  const kind: Kind = seed % 4 === 0 ? 'kills' : 'all'
  const isAll = kind === 'all'
  const versionsAreDigests = isAll && world.chance(0.3)
  const inputs = new Bucket(world, versionsAreDigests)
  const results = new Bucket(world, false)
  const chunkRows = world.between(2, 9)
  const story: string[] = []
  const say = (line: string) => story.push(`${String(world.now).padStart(7)} ${line}`)
  const none: Faults = { errors: 0, breaks: 0, staleLists: 0, stalls: 0, late: 0 }
  const faults: Faults = {
    errors: world.random() * 0.2,
    breaks: world.random() * 0.1,
    staleLists: world.random(),
    stalls: world.random() * 0.1,
    late: world.random() * 0.1,
  }
  const faultsNow = () => (isAll && world.now < faultyMs ? faults : none)
  const written = new Map<string, { version: string; rows: readonly Row[] }[]>()
  const computed = new Map<number, number>()
  let nextId = 0
  let kills = 0
  const killsMax = world.between(1, 4)

  function scorerOf(process: { isAlive: boolean }): BatchScorer {
    // Two machines need not agree in the last bit.
    const noise = isAll && world.chance(0.5) ? 0.5 : 0
    return {
      concurrency: world.between(1, 3),
      async facts() {
        const value = { dtype: 'float32', shape: [-1] } as const
        return { inputs: [{ name: 'x', ...value }], outputs: [{ name: 'y', ...value }], version: 'model-1' }
      },
      async run(feeds) {
        await world.sleep(world.between(1, 30))
        if (!process.isAlive) await new Promise(() => {})
        if (isAll && world.now < faultyMs && world.chance(0.03)) {
          throw new EasError(world.chance(0.5) ? 'not_ready' : 'queue_full', 'simulated')
        }
        const x = feeds.get('x') as Tensor // the model's one input
        const values = Array.from(x.data as Float32Array) // float32
        if (values.some((value) => value < 0)) throw new EasError('internal', 'Negative')
        for (const value of values) computed.set(value, (computed.get(value) ?? 0) + 1)
        return new Map([
          [
            'y',
            { dtype: 'float32', shape: [values.length], data: Float32Array.from(values, (x) => resultOf(x) + noise) },
          ],
        ])
      },
      predict: async (body) => body,
    }
  }

  function makeRows(): Row[] {
    return Array.from({ length: world.between(0, 24) }, (_, i) => {
      const id = nextId++
      // An object of nothing but poison would be stopped, rightly.
      const poison = isAll && i > 0 && world.chance(0.08) ? world.between(1, 4) : 0
      if (poison === 1) return { id, text: `{"id":${id},"x":`, result: undefined }
      if (poison === 2) return { id, text: `{"id":${id},"x":"${id}!"}`, result: undefined }
      if (poison === 3) return { id, text: `{"id":${id},"x":-1}`, result: undefined }
      if (poison === 4) return { id, text: `{"id":${id}}`, result: undefined }
      return { id, text: `{"id":${id},"x":${id}}`, result: resultOf(id) }
    })
  }

  /** One invocation: a process of its own, which may be killed. */
  async function invoke(key: string): Promise<boolean> {
    const process: SimulatedProcess = { isAlive: true, slowness: isAll && world.chance(0.4) ? 15 : 1 }
    const skew = { ms: isAll && world.chance(0.3) ? world.between(-3_600_000, 3_600_000) : 0 }
    if (isAll && world.chance(0.2)) {
      world.after(world.between(1, 2000), () => {
        skew.ms += world.between(-86_400_000, 86_400_000)
      })
    }
    const clock = skewedClock(world, skew, process)
    const abort = new AbortController()
    const limitMs = isAll && world.now < faultyMs ? (world.chance(0.3) ? world.between(50, 3000) : 15_000) : 600_000
    world.after(limitMs, () => abort.abort())
    const dead = new Promise<boolean>((resolve) => {
      const kill = () => {
        if (!process.isAlive) return
        process.isAlive = false
        say(`killed while it scores ${key}`)
        resolve(false)
      }
      // A platform ends what does not end by itself.
      world.after(limitMs + 1000, kill)
      if (kills < killsMax && world.chance(0.5)) {
        kills++
        world.after(world.between(1, 1500), kill)
      }
    })
    const batch = createBatch(
      scorerOf(process),
      { store: faultyStore(world, results, 'sim://results', faultsNow, process), key: outputRoot },
      {
        ...defaultOptions,
        chunk: { rows: chunkRows, bytes: 1e9 },
        failures: { count: 1e9, share: 1 },
        batchRows: world.between(1, 6),
      },
      clock,
    )
    const input = { store: faultyStore(world, inputs, 'sim://inputs', faultsNow, process), key }
    const scored = batch.score(input, { deadline: clock.now() + limitMs, signal: abort.signal }).then(
      (outcome) => {
        say(`${outcome.status} ${key}`)
        return outcome.status === 'done'
      },
      (thrown: unknown) => {
        if (!(thrown instanceof Error && /simulated|cancelled|version|abort/.test(thrown.message))) throw thrown
        say(`failed ${key}: ${thrown.message}`)
        return false
      },
    )
    const ended = await Promise.race([scored, dead])
    process.isAlive = false
    return ended
  }

  /** A platform brings an event until it is told that all is done. */
  async function deliver(key: string): Promise<void> {
    await world.sleep(isAll ? world.between(0, world.chance(0.5) ? 500 : 8000) : 0)
    while (!(await invoke(key))) await world.sleep(world.between(1, 5000))
  }

  const keys = isAll
    ? Array.from({ length: world.between(1, 3) }, (_, i) => `${folder}/${i}.ndjson`)
    : [`${folder}/0.ndjson`]
  for (const key of keys) {
    const versions: { version: string; rows: readonly Row[] }[] = []
    written.set(key, versions)
    const count = isAll ? world.between(1, 3) : 1
    for (let i = 0; i < count; i++) {
      world.after(isAll ? world.between(0, writingMs) : 0, () => {
        // With digests, bytes that were there before are the same version again.
        const again = versionsAreDigests && versions.length > 0 && world.chance(0.3) ? versions[0] : undefined
        const rows = again?.rows ?? makeRows()
        const { version } = inputs.put(key, Buffer.from(rows.map(({ text }) => `${text}\n`).join('')))
        versions.push({ version, rows })
        say(`version ${version.slice(0, 8)} of ${key}: ${rows.length} rows`)
        for (let n = isAll ? world.between(1, 4) : 1; n > 0; n--) void deliver(key)
      })
    }
  }
  const ended = await world.run(endMs)
  return { seed, kind, results, inputs, written, chunkRows, versionsAreDigests, kills, computed, ended, story }
}

/** The model. */
const resultOf = (x: number) => x * 2 + 1
