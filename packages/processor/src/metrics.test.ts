import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

it('render() gives counters, cumulative histograms and gauges in the Prometheus text format', async () => {
  const metrics = createMetrics(() => [
    { name: 'digits', inside: 5, queued: 3, workers: 2, ready: true, modelBytes: 0, requestFiles: undefined },
  ])
  const stages = { receive: 0.1, queue: 0.2, decode: 0.01, compute: 7, encode: 0.01 }
  const record = {
    service: 'digits',
    method: 'POST',
    request_id: undefined,
    error: undefined,
    responseBytes: 52,
    at: 0,
  }
  metrics.observe({ ...record, status: 200, stages, totalMs: 7.5, requestBytes: 270 })
  metrics.observe({ ...record, status: 200, stages, totalMs: 99_999, requestBytes: 270 })
  metrics.observe({ ...record, status: 450, stages: undefined, totalMs: 1, requestBytes: 0 })
  metrics.observe({ ...record, service: '', status: 404, stages: undefined, totalMs: 1, requestBytes: 0 })

  const lines = (await metrics.render()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE eas_requests_total counter',
      'eas_requests_total{service="digits",code="200"} 2',
      'eas_requests_total{service="digits",code="450"} 1',
      'eas_requests_total{service="",code="404"} 1',
      '# TYPE eas_request_duration_ms histogram',
      'eas_request_duration_ms_bucket{service="digits",le="5"} 0',
      'eas_request_duration_ms_bucket{service="digits",le="10"} 1',
      'eas_request_duration_ms_bucket{service="digits",le="+Inf"} 2',
      'eas_request_duration_ms_sum{service="digits"} 100006.5',
      'eas_request_duration_ms_count{service="digits"} 2',
      'eas_stage_duration_ms_count{service="digits",stage="compute"} 2',
      'eas_request_bytes_total{service="digits"} 540',
      'eas_response_bytes_total{service="digits"} 104',
      'eas_requests_in_flight{service="digits"} 5',
      'eas_queue_length{service="digits"} 3',
      'eas_workers{service="digits"} 2',
      'eas_ready{service="digits"} 1',
    ]),
  )
  expect(lines.filter((line) => line.startsWith('eas_request_duration_ms') && line.includes('service=""'))).toEqual([])
})
