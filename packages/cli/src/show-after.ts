import ora from 'ora'

/** A spinner on a terminal, once something has taken so long that a person wonders. Elsewhere nothing is written. */
export function showAfter(ms: number, text: string) {
  if (!process.stderr.isTTY) return { stop() {} }
  const spinner = ora({ text, stream: process.stderr })
  const timer = setTimeout(() => spinner.start(), ms)
  return {
    stop() {
      clearTimeout(timer)
      // Stopping one that never started would still write to the terminal.
      if (spinner.isSpinning) spinner.stop()
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
