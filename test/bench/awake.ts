import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/**
 * Keeps every core from halting, by a process each that runs only when nothing else would (`SCHED_IDLE`). On a virtual machine
 * whoever wakes a thread of a halted core waits 50 to 100 µs for its host, more than a small request takes. Resolves with what
 * ends them.
 *
 * @throws {Error} where there is no `chrt` of util-linux.
 */
export async function keepAwake(): Promise<() => void> {
  const spinners = Array.from({ length: availableParallelism() }, () =>
    spawn('chrt', ['--idle', '0', process.execPath, '--eval', 'for (;;);'], { stdio: 'ignore' }),
  )
  const end = () => {
    for (const spinner of spinners) spinner.kill('SIGKILL')
  }
  process.on('exit', end)
  await Promise.all(spinners.map((spinner) => once(spinner, 'spawn')))
  return end
}
