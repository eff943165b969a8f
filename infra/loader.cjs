'use strict'

const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

/**
 * Opens a pack that pack.ts has written: one script with all that an entry needs to start, and beside it the code that this
 * V8 made of it in an earlier run, if there was one. Modules of no pack are read when they are asked for.
 *
 * @returns What `require` is to a module of the bundle.
 */
module.exports = (pack) => {
  const filename = join(__dirname, `${pack}.js`)
  const cache = join(__dirname, `${pack}.${process.versions.v8}-${process.arch}.cache`)
  // Packs are ASCII, which is read the fastest as what it is.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: codeIn(cache) })
  globalThis[Symbol.for('eas.packs')]?.push({ script, cache }) // of record-code.cjs
  const packed = script.runInThisContext()
  const base = pathToFileURL(filename).href
  const modules = new Map()

  const load = (id) => {
    if (!id.startsWith('./')) return require(id)
    const known = modules.get(id)
    if (known) return known.exports
    const module = { exports: {} }
    modules.set(id, module)
    const body = packed[id] ?? lazy(id)
    try {
      body(module.exports, load, module, base)
    } catch (error) {
      modules.delete(id)
      throw error
    }
    return module.exports
  }
  load.resolve = require.resolve
  return load
}

function codeIn(cache) {
  try {
    return readFileSync(cache)
  } catch {
    return undefined // none was made by this V8
  }
}

function lazy(id) {
  const filename = join(__dirname, 'lazy', id)
  return new Script(readFileSync(filename, 'latin1'), { filename }).runInThisContext()
}
