import { describe, expect, it } from 'vitest'
import { settingsFromEnv } from './settings.ts'
import { storeSettings } from './stores.ts'

describe('storeSettings()', () => {
  it('signs by default as each provider has it', () => {
    const { s3, oss, gcs } = storeSettings(settingsFromEnv({}))
    expect([s3?.anonymous, oss?.anonymous, gcs?.anonymous, gcs?.hmac]).toEqual([false, false, false, undefined])
  })

  it('signs nothing where a setting says so', () => {
    const env = { EAS_S3_ANONYMOUS: 'on', EAS_OSS_ANONYMOUS: 'on', EAS_GCS_ANONYMOUS: 'on' }
    const { s3, oss, gcs } = storeSettings(settingsFromEnv(env))
    expect([s3?.anonymous, oss?.anonymous, gcs?.anonymous]).toEqual([true, true, true])
  })

  it('takes an HMAC key of Cloud Storage', async () => {
    const env = { EAS_GCS_ACCESS_KEY_ID: 'GOOG1', EAS_GCS_SECRET_ACCESS_KEY: 'secret' }
    const { gcs } = storeSettings(settingsFromEnv(env))
    expect(await gcs?.hmac?.()).toEqual({ accessKeyId: 'GOOG1', secretAccessKey: 'secret' })
  })
})
