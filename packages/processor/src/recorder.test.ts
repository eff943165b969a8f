import { EasError } from '@eas/base'
import pino from 'pino'
import { expect, it } from 'vitest'
import { logKeysOf } from './log.ts'
import { createMetrics } from './metrics.ts'
import { lineOf, Recorder, type RequestRecord } from './recorder.ts'

const record: RequestRecord = {
  service: 'digits',
  method: 'POST',
  request_id: undefined,
  status: 200,
  error: undefined,
  stages: { receive: 0.1234567, queue: 0.2, decode: 0.01, compute: 7, encode: 0 },
  totalMs: 7.5001,
  requestBytes: 270,
  responseBytes: 52,
  at: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
}

function linesOf(level: string, ...records: readonly RequestRecord[]): object[] {
  let text = ''
  const recorder = new Recorder(
    createMetrics(() => []),
    pino(
      { level },
      {
        write(line: string) {
          text += line
        },
      },
    ),
  )
  for (const each of records) recorder.record(each)
  recorder.flush()
  return text.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []))
}

it('a request is a line of JSON, its figures rounded to microseconds', () => {
  expect(linesOf('info', record)).toEqual([
    {
      level: 'info',
      time: '2026-01-02T03:04:05.006Z',
      service: 'digits',
      method: 'POST',
      status: 200,
      totalMs: 7.5,
      receiveMs: 0.123,
      queueMs: 0.2,
      decodeMs: 0.01,
      computeMs: 7,
      encodeMs: 0,
      requestBytes: 270,
      responseBytes: 52,
      msg: 'request',
    },
  ])
})

it('on Cloud Run has the names that Cloud Logging reads', () => {
  const line = JSON.parse(lineOf(record, 'error', logKeysOf({ K_SERVICE: 'digits' })))
  expect(line).toMatchObject({ severity: 'ERROR', message: 'request' })
  expect(line).not.toHaveProperty('level')
})

it('what a client or a library says cannot end a line, nor add to it', () => {
  const error = new EasError('internal', 'a "quoted"\nname', { cause: new Error('at\nlast') })
  const [line, ...more] = linesOf('info', { ...record, request_id: '","x":"\n\u2028', stages: undefined, error })
  expect(more).toEqual([])
  expect(line).toMatchObject({ level: 'error', request_id: '","x":"\n\u2028', error: 'a "quoted"\nname' })
  expect(line).toMatchObject({ cause: expect.stringContaining('at\nlast') })
  expect(line).not.toHaveProperty('x')
  expect(line).not.toHaveProperty('decodeMs')
})

it('a probe is a matter of debugging, and no line is written below the level', () => {
  const probe = { ...record, service: '', method: 'GET' }
  expect(linesOf('info', probe, record)).toHaveLength(1)
  expect(linesOf('debug', probe, record)).toMatchObject([{ level: 'debug' }, { level: 'info' }])
  expect(linesOf('silent', probe, record)).toEqual([])
})
