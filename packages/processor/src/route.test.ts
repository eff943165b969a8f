import { EasError } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { parseTarget } from './route.ts'

const bases = [{ path: '/custom/base', service: 'demo' }]

describe('parseTarget()', () => {
  it.each([
    ['/api/predict/demo', 'demo', 'demo', ''],
    ['/api/predict/demo/', 'demo', 'demo/', ''],
    ['/api/predict/demo/v3?uid=1+2&n&%E4%BD%A0=%26%3D', 'demo', 'demo/v3', 'uid=1+2&n&%E4%BD%A0=%26%3D'],
    ['//api/predict/demo', 'demo', 'demo', ''],
    ['/stage/api/predict/demo', 'demo', 'demo', ''],
    ['http://host:8080/api/predict/demo?x=1', 'demo', 'demo', 'x=1'],
    ['/api/predict/d%65mo', 'demo', 'd%65mo', ''],
    ['/api/predict//demo/v1', 'demo', 'demo/v1', ''],
    ['/api/predict/demo/kitchen/sink', 'demo', 'demo/kitchen/sink', ''],
    ['/custom/base', 'demo', 'demo', ''],
    ['/custom/base/sub?x', 'demo', 'demo', 'x'],
  ])('reads %s as a prediction of %s', (target, service, path, query) => {
    expect(parseTarget(target, bases)).toEqual({ kind: 'predict', service, path, query })
  })

  it.each([
    ['/api/v1/servicediscovery/upstreams/demo', 'demo'],
    ['/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/demo?internal=false', 'demo'],
    ['/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/demo/sub', 'demo'],
  ])('reads %s as a lookup of %s', (target, service) => {
    expect(parseTarget(target, [])).toEqual({ kind: 'discovery', service })
  })

  it.each(['/api/predict/demo?_attrs_=true', '/api/predict/demo/sink', '/api/predict/demo?a=1&_watch_=true'])(
    'reads %s as the queue service',
    (target) => {
      expect(parseTarget(target, bases)).toEqual({ kind: 'queue', service: 'demo' })
    },
  )

  it.each(['/healthz', '/readyz', '/metrics'])('knows %s', (path) => {
    expect(parseTarget(`${path}?x=1`, [])).toEqual({ kind: path.slice(1) })
  })

  it.each([
    ['/', 404],
    ['*', 404],
    ['', 404],
    ['/api/predict/', 404],
    ['/api/predict', 404],
    ['/__proto__', 404],
    ['/custom/basement', 404],
    [`/${'x'.repeat(20_000)}`, 404],
  ])('answers %s with %d', (target, status) => {
    try {
      parseTarget(target, bases)
      expect.unreachable()
    } catch (thrown) {
      expect(EasError.from(thrown).status).toBe(status)
    }
  })
})
