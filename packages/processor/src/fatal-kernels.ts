import { closeSync, openSync, readSync } from 'node:fs'
import type { OpenableModel } from './session.ts'

/**
 * Operators whose kernels in ONNX Runtime 1.30 end the process when they are given no rows: TopK and Einsum divide by their
 * number, LSTM and GRU wait for threads that never were.
 */
const fatalOps = ['TopK', 'Einsum', 'LSTM', 'GRU'] as const

/** `op_type` of a NodeProto, onnx.proto: field 4, the length, the name. */
const marks = fatalOps.map((op) => [op, Buffer.concat([Buffer.from([0x22, op.length]), Buffer.from(op)])] as const)
const overlap = Math.max(...marks.map(([, mark]) => mark.length)) - 1

/** Which of them a model has, of itself or in what it branches to. Reads the whole file: only for a request that has no rows. */
export function fatalOpsOf(onnx: OpenableModel['onnx']): readonly string[] {
  const found = new Set<string>()
  const look = (piece: Buffer) => {
    for (const [op, mark] of marks) if (!found.has(op) && piece.includes(mark)) found.add(op)
  }
  if (typeof onnx !== 'string') look(Buffer.from(onnx.bytes.buffer, onnx.bytes.byteOffset, onnx.bytes.byteLength))
  else lookThrough(onnx, look)
  return [...found]
}

function lookThrough(path: string, look: (piece: Buffer) => void): void {
  const piece = Buffer.alloc(4 * 1024 * 1024)
  const file = openSync(path, 'r')
  try {
    for (let kept = 0, read = 1; read > 0; ) {
      read = readSync(file, piece, kept, piece.length - kept, null)
      const end = kept + read
      look(piece.subarray(0, end))
      kept = Math.min(overlap, end)
      piece.copyWithin(0, end - kept, end)
    }
  } finally {
    closeSync(file)
  }
}
