/** What an instance has. */
export interface Machine {
  /** Cores. */
  readonly cpu: number
  readonly memoryMb: number
  readonly gpu?: Gpu
}

export interface Gpu {
  readonly count: number
  readonly memoryGb: number
}

/** GB of memory per core, by the letter of an ECS family. @see Alibaba Cloud "Overview of instance families" */
const memoryPerCore: Readonly<Record<string, number>> = { c: 2, g: 4, r: 8, u: 4 }

/** GB of GPU memory, by GPU family. @see Alibaba Cloud "GPU-accelerated compute-optimized instance families" */
const gpuFamilies: Readonly<Record<string, number>> = {
  gn5: 16,
  gn6i: 16,
  gn6e: 32,
  gn6v: 16,
  gn7i: 24,
  gn7e: 80,
  gn7: 40,
  gn8is: 48,
}

const sizes: Readonly<Record<string, number>> = { small: 1, medium: 1, large: 2, xlarge: 4 }

/**
 * The machine of an ECS instance type, as `cloud.computing` names it.
 * @returns `undefined` for a type whose name does not say.
 */
export function machineOf(instanceType: string): Machine | undefined {
  const [, family = '', size = ''] = /^(?:ecs|ml)\.([a-z0-9]+)(?:-[a-z0-9]+)?\.([a-z0-9]+)$/.exec(instanceType) ?? []
  const [, times] = /^(\d+)xlarge$/.exec(size) ?? []
  const gpuMemory = gpuFamilies[family]
  const shape = /-c(\d+)g(\d+)\./.exec(instanceType)
  const cpu = Number(shape?.[1] ?? (times === undefined ? sizes[size] : Number(times) * 4))
  if (!Number.isFinite(cpu)) return undefined
  if (gpuMemory !== undefined) {
    return { cpu, memoryMb: cpu * 4 * 1024, gpu: { count: Number(shape?.[2] ?? 1), memoryGb: gpuMemory } }
  }
  const perCore = memoryPerCore[family.charAt(0)]
  return perCore === undefined ? undefined : { cpu, memoryMb: cpu * perCore * 1024 }
}
