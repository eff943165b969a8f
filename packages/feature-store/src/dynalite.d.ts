/** dynalite has no types of its own; it is a `http.Server`. Only tests use it. */
declare module 'dynalite' {
  import type { Server } from 'node:http'
  export default function dynalite(options?: {
    readonly createTableMs?: number
    readonly deleteTableMs?: number
  }): Server
}
