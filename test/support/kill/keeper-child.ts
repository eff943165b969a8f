import { openStore } from '@eas/storage'
import { RequestKeeper } from '../../../packages/processor/src/warm-up/request-keeper.ts'

/** Keeps requests in the folder named by its argument until the folder has all it may have. Each says what it is. */
const [folder = '', filesMax = ''] = process.argv.slice(2)
const { store, key } = openStore(folder)
const keeper = new RequestKeeper({
  store,
  folder: key,
  filesMax: Number(filesMax),
  shapeOf: async (body) => Buffer.from(body.subarray(0, 12)).toString(),
  onError: (error) => process.stderr.write(`${error.message}\n`),
})
process.stdout.write('ready\n')
for (let i = 0; keeper.isOpen && i < 10_000; i++) {
  const head = `${process.pid}-${i} `.padEnd(12)
  keeper.offer(Buffer.from(head.repeat(20_000)))
  await keeper.idle
}
process.stdout.write('ok\n')
