'use strict'

const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')

/**
 * Opens packs that pack.ts has written, one after the other as their modules are asked for. Modules of no pack are files of
 * their own.
 *
 * @returns What `require` is to a module of the bundle.
 */
module.exports = (packs) => {
  const opened = []
  const bodyOf = (id) => {
    for (let i = 0; i < packs.length; i++) {
      opened[i] ??= open(packs[i])
      if (opened[i][id]) return opened[i][id]
    }
    return lazy(id)
  }
  const base = pathToFileURL(__filename).href
  const modules = new Map()

  const load = (id) => {
    if (!id.startsWith('./')) return require(id)
    const known = modules.get(id)
    if (known) return known.exports
    const module = { exports: {} }
    modules.set(id, module)
    const body = bodyOf(id)
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

/** The modules of a pack, with the code that this V8 made of them in an earlier run, if there was one. */
function open(pack) {
  const filename = join(__dirname, `${pack}.js`)
  const cache = join(__dirname, `${pack}.${process.versions.v8}-${process.arch}.cache`)
  // Packs are ASCII, which is read the fastest as what it is.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: codeIn(cache) })
  globalThis[Symbol.for('eas.packs')]?.push({ script, cache }) // of record-code.cjs
  return script.runInThisContext()
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
