import { behindEarly } from '@eas/processor/early'

await behindEarly(process.env, async () => (await import('./container-server.ts')).serve())
