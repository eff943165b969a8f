import { EasError } from '@eas/base'
import { CommanderError } from 'commander'

/** Exit codes: 1 a failure that the message explains, 2 a wrong use of the command (commander's), 70 a fault of ours. */
export function reportAndExit(thrown: unknown): never {
  // Commander has written its message, or the help that was asked for.
  if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : 2)
  // A StoreError is told by its name: its class would be loaded by every start.
  const known = thrown instanceof EasError || (thrown instanceof Error && thrown.name === 'StoreError')
  process.stderr.write(
    `${known ? `error: ${thrown.message}` : `fault: ${thrown instanceof Error ? thrown.stack : thrown}`}\n`,
  )
  process.exit(known ? 1 : 70)
}
