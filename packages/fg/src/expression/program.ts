import type { Kernel } from './scalar-functions.ts'
import type { VectorFunction } from './vector-functions.ts'

/**
 * An expression as steps over registers, each a stretch of numbers: first the leaves, which are filled from columns,
 * then what the steps compute. A step runs over a whole stretch, so what it costs to choose it is shared by a thousand
 * elements.
 */
export interface Program {
  readonly leaves: readonly Leaf[]
  readonly steps: readonly Step[]
  /** Registers of the results: one, or the arguments of a vector function. */
  readonly results: readonly number[]
  /** Leaves and intermediate results. */
  readonly registers: number
}

export type Leaf =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'variable'; readonly index: number }
  | { readonly kind: 'reduced'; readonly by: VectorFunction; readonly of: Program }

export interface Step {
  readonly kernel: Kernel
  readonly inputs: readonly number[]
  readonly output: number
}

/** Builds a program while its expression is read: what is read later is computed later. */
export class ProgramBuilder {
  readonly #leaves: Leaf[] = []
  readonly #known = new Map<string, number>()
  readonly #steps: { readonly kernel: Kernel; readonly inputs: readonly Operand[]; readonly output: Operand }[] = []
  #temporaries = 0
  #mostTemporaries = 0

  constant(value: number): Operand {
    return this.#leaf(`#${Object.is(value, -0) ? '-0' : value}`, { kind: 'constant', value })
  }

  variable(index: number): Operand {
    return this.#leaf(`$${index}`, { kind: 'variable', index })
  }

  reduced(by: VectorFunction, of: Program): Operand {
    return this.#leaf(undefined, { kind: 'reduced', by, of })
  }

  /** `kernel` of operands, which were made in their order and are used only here. Constants are computed at once. */
  apply(kernel: Kernel, inputs: readonly Operand[]): Operand {
    const constants = inputs.map((input) => this.#constantOf(input))
    if (inputs.length > 0 && constants.every((value) => value !== undefined)) {
      const out = new Float64Array(1)
      kernel(
        out,
        constants.map((value) => Float64Array.of(value)),
        1,
      )
      return this.constant(out[0] ?? Number.NaN)
    }
    this.#temporaries -= inputs.filter(({ temporary }) => temporary).length
    const output = { temporary: true, index: this.#temporaries++ }
    this.#mostTemporaries = Math.max(this.#mostTemporaries, this.#temporaries)
    this.#steps.push({ kernel, inputs, output })
    return output
  }

  /** Registers that `build` would give now, leaves that nothing reads any more among them. */
  get size(): number {
    return this.#leaves.length + this.#mostTemporaries
  }

  build(results: readonly Operand[]): Program {
    const read = new Map<number, number>()
    const register = ({ temporary, index }: Operand): number => {
      if (temporary) return index - this.#mostTemporaries // from the end, until the leaves are counted
      const known = read.get(index) ?? read.size
      read.set(index, known)
      return known
    }
    const steps = this.#steps.map(({ kernel, inputs, output }) => ({
      kernel,
      inputs: inputs.map(register),
      output: register(output),
    }))
    const ends = results.map(register)
    const registers = read.size + this.#mostTemporaries
    const counted = (index: number) => (index < 0 ? registers + index : index)
    return {
      leaves: [...read.keys()].map((index) => this.#leaves[index] as Leaf), // which `register` met
      steps: steps.map(({ kernel, inputs, output }) => ({
        kernel,
        inputs: inputs.map(counted),
        output: counted(output),
      })),
      results: ends.map(counted),
      registers,
    }
  }

  #leaf(key: string | undefined, leaf: Leaf): Operand {
    const known = key === undefined ? undefined : this.#known.get(key)
    const index = known ?? this.#leaves.push(leaf) - 1
    if (key !== undefined) this.#known.set(key, index)
    return { temporary: false, index }
  }

  #constantOf({ temporary, index }: Operand): number | undefined {
    const leaf = temporary ? undefined : this.#leaves[index]
    return leaf?.kind === 'constant' ? leaf.value : undefined
  }
}

/** A leaf, or the place of an intermediate result, which is free again once it has been used. */
export interface Operand {
  readonly temporary: boolean
  readonly index: number
}
