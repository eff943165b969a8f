/**
 * Milliseconds of one request, by stage: `receive` until its last byte, `queue` for a slot and for the way to the worker and
 * back, `decode` of its body, `compute` of the model, `encode` of the answer.
 */
export interface Stages {
  readonly receive: number
  readonly queue: number
  readonly decode: number
  readonly compute: number
  readonly encode: number
}

export const stageNames = ['receive', 'queue', 'decode', 'compute', 'encode'] as const
