import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A script of this folder in a process of its own, asked one thing at a time or several at once. */
export interface Child<Question, Answer> {
  /** @throws What the child threw, or that it ended. */
  ask(question: Question): Promise<Answer>
  stop(): Promise<void>
}

type Reply<Answer> = { readonly id: number } & ({ readonly answer: Answer } | { readonly error: string })

/** @param script Name of a file beside this one that calls `answerParent` with the same types. */
export function startChild<Question, Answer>(script: string): Child<Question, Answer> {
  const child = fork(new URL(script, import.meta.url), [], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
  })
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>()
  let nextId = 0
  child.on('message', (message) => {
    const reply = message as Reply<Answer> // `answerParent` sends nothing else
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) asker?.reject(new Error(`${script}: ${reply.error}`))
    else asker?.resolve(reply.answer)
  })
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${script} ended with ${signal ?? `code ${code}`}`))
    waiting.clear()
  })
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        waiting.set(id, { resolve, reject })
        child.send({ id, question })
      }),
    async stop() {
      if (child.exitCode !== null || child.signalCode) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

/** The child's side: answers its parent, and ends with it. */
export function answerParent<Question, Answer>(answer: (question: Question) => Promise<Answer>): void {
  process.on('message', async (message) => {
    const { id, question } = message as { id: number; question: Question } // `startChild` sends nothing else
    try {
      process.send?.({ id, answer: await answer(question) })
    } catch (thrown) {
      process.send?.({ id, error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) })
    }
  })
  process.on('disconnect', () => process.exit(0))
}
