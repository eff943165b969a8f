import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { graphs } from '../../../test/support/models.ts'
import { onnxModel, scratch } from '../../../test/support/onnx.ts'
import { specsOf } from '../../../test/support/processor.ts'
import { Service } from './service.ts'

const files = scratch('model-place')
afterAll(() => files.remove())

/** Of entries about garbage, whether somebody has asked for it to be collected; the types leave out what Node says of them. */
const isAskedFor = (entry: PerformanceEntry) =>
  ((entry as PerformanceEntry & { detail: { flags: number } }).detail.flags &
    constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !==
  0

it('models that leave together have their garbage collected once', async () => {
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().filter(isAskedFor).length
  })
  observer.observe({ entryTypes: ['gc'] })
  const model = files.write('add.onnx', onnxModel(graphs.add))
  const names = ['a', 'b', 'c', 'd']
  const specs = specsOf(
    names.map((name) => ({ name, model })),
    { EAS_ISOLATION: 'inline' },
  )
  const services = specs.map((spec) => new Service(spec, { onEvent() {}, onLoaded() {}, onIdle() {} }))
  await Promise.all(services.map((service) => service.load()))
  await Promise.all(services.map((service) => service.unload()))
  while (collections === 0) await sleep(20)
  await sleep(200)
  observer.disconnect()
  expect(collections).toBe(1)
  await Promise.all(services.map((service) => service.close()))
})
