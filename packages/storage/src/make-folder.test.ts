import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

const root = await mkdtemp(join(tmpdir(), 'eas-folder-'))
afterAll(() => rm(root, { recursive: true }))

describe('makeFolder()', () => {
  it('makes a folder and those above it, however many do so at once', async () => {
    for (let round = 0; round < 50; round++) {
      const path = join(root, `${round}/a/b/c`)
      await Promise.all(Array.from({ length: 20 }, () => makeFolder(path)))
      await makeFolder(path)
      expect((await stat(path)).isDirectory()).toBe(true)
    }
  })

  it('says where a file stands in the way', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(makeFolder(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(makeFolder(join(root, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  it.runIf(process.platform === 'linux')('ends where no folder can be made', async () => {
    await expect(makeFolder('/proc/eas/below')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
