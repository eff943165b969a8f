/**
 * Milliseconds of processor time that `work` takes, those of V8's helper threads included: for work on one thread what a
 * clock says on an idle machine, and the same on a busy one.
 */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
