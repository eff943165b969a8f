import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EasError, once } from '@eas/base'
import { DiskCache, type StoreSettings } from '@eas/storage'
import type { Settings } from './settings.ts'

/**
 * Where stores are and how to get in, as the settings say.
 * @param more What a platform knows better, such as credentials that change from one invocation to the next.
 * @throws {EasError} `invalid_request` for a row of `EAS_BUCKETS` that is none.
 */
export function storeSettings(settings: Settings, more: StoreSettings = {}): StoreSettings {
  const { s3Endpoint, s3Anonymous, ossEndpoint, ossRegion, ossAnonymous, ossInternal } = settings
  const { gcsEndpoint, gcsAnonymous, gcsAccessKeyId: accessKeyId, gcsSecretAccessKey: secretAccessKey } = settings
  // Function Compute tells its functions where they are.
  const region = ossRegion || process.env.FC_REGION || ''
  return {
    buckets: bucketTable(settings.buckets),
    ...more,
    s3: { ...(s3Endpoint && { endpoint: s3Endpoint }), anonymous: s3Anonymous === 'on', ...more.s3 },
    oss: {
      ...(ossEndpoint && { endpoint: ossEndpoint }),
      ...(region && { region }),
      internal: ossInternal === 'on',
      anonymous: ossAnonymous === 'on',
      ...more.oss,
    },
    gcs: {
      ...(gcsEndpoint && { endpoint: gcsEndpoint }),
      ...(accessKeyId && { hmac: () => ({ accessKeyId, secretAccessKey }) }),
      anonymous: gcsAnonymous === 'on',
      ...more.gcs,
    },
  }
}

function bucketTable(rows: readonly string[]): { readonly [url: string]: string } {
  const url = /^[a-z][a-z0-9]*:\/\/.+/i
  return Object.fromEntries(
    rows.map((row) => {
      const [from = '', to = '', ...rest] = row.split('=')
      if (url.test(from) && url.test(to) && rest.length === 0) return [from, to]
      throw new EasError('invalid_request', `Cannot read EAS_BUCKETS: ${row} is not oss://from=s3://to`)
    }),
  )
}

/** The cache of a process's models, opened when the first is fetched. */
export const modelCache = ({ cacheDir, cacheBytesMax }: Settings): (() => Promise<DiskCache>) =>
  once(() => DiskCache.open(cacheDir || join(tmpdir(), 'eas-functions'), { maxBytes: cacheBytesMax }))
