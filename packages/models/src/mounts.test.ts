import { describe, expect, it } from 'vitest'
import { throughMounts } from './mounts.ts'

const mounts = [
  { mount_path: '/data', url: 'oss://bucket/all/' },
  { mount_path: '/data/models/', url: 'oss://models' },
]

describe('throughMounts()', () => {
  it.each([
    ['/data/x/y.bin', 'oss://bucket/all/x/y.bin'],
    ['/data', 'oss://bucket/all'],
    ['/data/', 'oss://bucket/all'],
    ['/data/models/m.pt', 'oss://models/m.pt'],
    ['/data/models', 'oss://models'],
    ['/database/x', '/database/x'],
    ['data/x', 'data/x'],
    ['oss://data/x', 'oss://data/x'],
  ])('%s is %s', (path, where) => {
    expect(throughMounts(path, mounts)).toBe(where)
  })
})
