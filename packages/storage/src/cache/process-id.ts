import { readFileSync, readlinkSync } from 'node:fs'
import { once } from '@eas/base'

/**
 * A name for this process that no later one will have: `<pid>-<start>-<namespace>-<boot>`. Numbers of processes are used
 * again; together with the time the process started, in ticks since boot, they are not. Where there is no /proc the parts
 * after the first are `0`.
 * @see man 5 proc: /proc/pid/stat, field 22
 */
export const processId = once((): string => [process.pid, startOf(process.pid) ?? 0, namespace(), bootId()].join('-'))

/** This boot of this machine, of which the page cache is part. */
export const bootId = once(
  () =>
    read('/proc/sys/kernel/random/boot_id')
      ?.replace(/[^0-9a-f]/g, '')
      .slice(0, 12) ?? '0',
)

const namespace = once(() => {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
})

/**
 * Whether the process of that name still runs; `undefined` if it cannot be seen from here, since it lives in another
 * container. A process of another boot does not.
 */
export function isAlive(id: string): boolean | undefined {
  const [pid = '', start, space, boot] = id.split('-')
  if (!/^\d+$/.test(pid) || boot === undefined) return false
  if (boot !== bootId()) return false
  if (space !== namespace()) return undefined
  if (start !== '0') return startOf(Number(pid)) === start
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // The second field, the command in parentheses, may hold anything; the third follows the last parenthesis.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return undefined // dead, and not yet waited for
  return fields?.[19]
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
