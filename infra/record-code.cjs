'use strict'

const { renameSync, writeFileSync } = require('node:fs')
const { isMainThread } = require('node:worker_threads')

/** Loaded before a program that code-cache.ts trains: writes what V8 has compiled of its packs by then. */
const packs = []
globalThis[Symbol.for('eas.packs')] = packs
const keep = () => {
  for (const { script, cache } of packs) {
    // V8 looks at its length, but does not add it up: it has to be there whole.
    writeFileSync(`${cache}.part`, script.createCachedData())
    renameSync(`${cache}.part`, cache)
  }
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
