import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { problemsOf } from './simulator/check.ts'
import { play, type Ran } from './simulator/scenario.ts'

/** `EAS_FULL=1` plays them all; `EAS_SEED=n` plays one and tells its story. */
const seedCount = process.env.EAS_FULL ? 10_000 : 300
const only = process.env.EAS_SEED

const fingerprint = ({ results, story }: Ran) => {
  const hash = createHash('sha256')
  for (const [key, { bytes }] of results.objects) hash.update(key).update(bytes)
  return hash.update(story.join('\n')).digest('hex')
}

const whole = () =>
  describe(`a batch over ${seedCount} simulated seeds (10000 with EAS_FULL=1)`, () => {
    it('comes to the result of a world without faults', async () => {
      const failed: string[] = []
      const counts = { kills: 0, chunksAgain: 0 }
      for (let seed = 1; seed <= seedCount && failed.length < 5; seed++) {
        const ran = await play(seed)
        counts.kills += ran.kills
        const problems = problemsOf(ran)
        if (problems.length > 0) {
          failed.push(
            `seed ${seed}: ${problems.join('; ')}\n  replay: EAS_SEED=${seed} npx vitest run --config test/vitest.config.ts test/batch/simulator`,
          )
        }
      }
      expect(failed, failed.join('\n')).toEqual([])
      expect(counts.kills).toBeGreaterThan(seedCount / 2) // faults did happen
    }, 3_600_000)

    it('plays a seed byte for byte the same', async () => {
      for (const seed of [1, 2, 3, 4]) expect(fingerprint(await play(seed))).toBe(fingerprint(await play(seed)))
    })

    it('is seen to fail when a result is doubled', async () => {
      const ran = await play(2)
      const part = [...ran.results.objects].find(([key]) => key.includes('/part-'))
      if (!part) throw new Error('seed 2 writes a part')
      const [key, { bytes }] = part
      ran.results.put(key, Buffer.concat([bytes, bytes]))
      expect(problemsOf(ran).join()).toMatch(/lost, doubled or torn/)
    })
  })

const replay = () =>
  describe(`seed ${only}`, () => {
    it('has no problems', async () => {
      const ran = await play(Number(only))
      process.stdout.write(`${ran.story.join('\n')}\n`)
      expect(problemsOf(ran)).toEqual([])
    })
  })

if (only === undefined) whole()
else replay()
