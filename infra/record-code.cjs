'use strict'

const { writeFileSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

/** Loaded before a program that code-cache.ts trains: writes what V8 has compiled of its packs by then. */
const packs = []
globalThis[Symbol.for('eas.packs')] = packs
const keep = () => {
  for (const { script, cache } of packs) writeFileSync(cache, script.createCachedData())
}

process.on('exit', keep)
if (!isMainThread) {
  // A model's thread rests here, and is ended without having been back in its event loop.
  const { wait } = Atomics
  Atomics.wait = (...args) => {
    keep()
    return wait(...args)
  }
}
