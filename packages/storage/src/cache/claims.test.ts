import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Leases } from './claims.ts'

it('an entry is leased and let go by many at once, of whom none is in the way of another', async () => {
  const root = await mkdtemp(join(tmpdir(), 'eas-leases-'))
  try {
    const leases = [new Leases(root), new Leases(root)]
    const use = async (lease: Leases) => {
      for (let i = 0; i < 150; i++) await (await lease.use('entry'))?.()
    }
    await Promise.all(leases.flatMap((lease) => [use(lease), use(lease), use(lease), use(lease)]))
    expect(await readdir(root)).toEqual([])
  } finally {
    await rm(root, { recursive: true })
  }
})
