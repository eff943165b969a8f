import { describe, expect, it } from 'vitest'
import { settingsFromEnv } from './settings.ts'

describe('settingsFromEnv()', () => {
  it('tells of names that are near a setting and are none', () => {
    const env = {
      EAS_TOEKN: 'secret',
      EAS_LOG_LEVELS: 'debug',
      EAS_BATCH_OUTPUT: 'x',
      EAS_OF_SOMEBODY: 'y',
      EAS_TOKEN: '',
    }
    expect(settingsFromEnv(env).warnings).toEqual([
      'EAS_TOEKN is not a setting; did you mean EAS_TOKEN?',
      'EAS_LOG_LEVELS is not a setting; did you mean EAS_LOG_LEVEL?',
    ])
  })

  it.each([
    ['secret\n', 'secret'],
    [' a b \r\n', 'a b'],
    ['\n', '\n'],
    ['', ''],
  ])('takes the token %j for %j', (EAS_TOKEN, token) => {
    expect(settingsFromEnv({ EAS_TOKEN }).token).toBe(token)
  })

  it('names every variable that is wrong', () => {
    expect(() => settingsFromEnv({ EAS_LOG_LEVEL: 'loud', EAS_REFRESH_S: '-1' })).toThrow(
      /^Cannot read the environment: EAS_LOG_LEVEL must be info \| .*, got "loud"; EAS_REFRESH_S must be .*, got "-1"$/,
    )
  })
})
