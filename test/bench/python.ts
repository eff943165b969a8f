import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './servers.ts'

const run = promisify(execFile)

/** Sets of packages, a `requirements….txt` each: some do not go together, and some are gigabytes that few benchmarks need. */
export type PythonSet = 'base' | 'torch' | 'tensorflow'

/** A Python with a set of packages installed, and the folder of the classes made from proto/pytorch_predict.proto (`base`). */
export interface Python {
  readonly command: string
  readonly generated: string
}

/**
 * Made on first use, and again when what it is made of changes.
 * @throws {Error} in one line, when this machine has no Python or cannot install.
 */
export async function preparePython(set: PythonSet = 'base'): Promise<Python> {
  const suffix = set === 'base' ? '' : `-${set}`
  const venv = join(root, `.cache/bench-venv${suffix}`)
  const requirements = join(import.meta.dirname, `requirements${suffix}.txt`)
  const proto = join(root, 'proto/pytorch_predict.proto')
  const python: Python = { command: join(venv, 'bin/python'), generated: join(venv, 'generated') }
  const stamp = join(venv, 'installed')
  const fingerprint = createHash('sha256').update(readFileSync(requirements)).update(readFileSync(proto)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return python
  try {
    rmSync(venv, { recursive: true, force: true })
    await run('python3', ['-m', 'venv', venv])
    await run(python.command, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
    mkdirSync(python.generated)
    const protoc = [
      '-m',
      'grpc_tools.protoc',
      `--proto_path=${join(root, 'proto')}`,
      `--python_out=${python.generated}`,
    ]
    if (set === 'base') await run(python.command, [...protoc, proto])
  } catch (cause) {
    const lines = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n')
    throw new Error(`Python's side cannot be installed: ${lines.at(-1)}`, { cause })
  }
  writeFileSync(stamp, fingerprint)
  return python
}
