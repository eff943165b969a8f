import { serveParent } from './worker.ts'

serveParent()
