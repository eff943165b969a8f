import type { Ora } from 'ora'

/** A spinner on a terminal, once something has taken so long that a person wonders. Elsewhere nothing is written. */
export function showAfter(ms: number, text: string) {
  if (!process.stderr.isTTY) return { stop() {} }
  let spinner: Ora | undefined
  let isOver = false
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora')
    if (!isOver) spinner = ora({ text, stream: process.stderr }).start()
  }, ms)
  return {
    stop() {
      isOver = true
      clearTimeout(timer)
      spinner?.stop()
    },
  }
}

/** What `work` gives, with the spinner beside it when it takes over a second. */
export async function showing<T>(text: string, work: Promise<T>): Promise<T> {
  const progress = showAfter(1000, text)
  try {
    return await work
  } finally {
    progress.stop()
  }
}
