import { behindEarly } from '@eas/processor/early'

await behindEarly(process.env, async () => (await import('./server.ts')).serve())
