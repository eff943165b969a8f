import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DiskCache, download, openStore, unpack } from '@eas/storage'

/**
 * What `storage-kill.test.ts` kills at random moments: opens the cache, downloads an archive in small parts, unpacks it,
 * and checks every byte of what it was given. Prints `ready` before, and `ok` after.
 */
const [endpoint = '', root = '', expected = '{}'] = process.argv.slice(2)
const { store, key } = openStore('s3://bucket/model.tar.gz', {
  s3: { endpoint, credentials: () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secretsecret' }) },
})
process.stdout.write('ready\n')
const cache = await DiskCache.open(root)
const { version = '' } = (await store.head(key)) ?? {}
const entry = await cache.fetch({ url: store.url, key, version }, async (dir, scratch) => {
  await download(store, key, join(scratch, 'archive'), { partBytes: 64 * 1024, connections: 4 })
  await unpack(join(scratch, 'archive'), dir, { kind: 'tar.gz' })
})
for (const [path, crc] of Object.entries(JSON.parse(expected))) {
  if (crc32(await readFile(join(entry.path, path))) !== crc) throw new Error(`${path} is wrong`)
}
process.stdout.write('ok\n')
