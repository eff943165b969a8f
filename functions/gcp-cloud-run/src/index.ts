import { discardEarly, startEarly } from '@eas/processor/early'

startEarly(process.env)
try {
  const { serve } = await import('./server.ts')
  await serve()
} catch (error) {
  await discardEarly()
  throw error
}
