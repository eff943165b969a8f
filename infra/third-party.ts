import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

/** Packages that stand beside a bundle instead of in it, and have no licence file of their own. */
const beside: readonly string[] = ['onnxruntime-node']

const microsoftMit = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`

/** Name, version and licence of every package of which a bundle has code, with the text that its licence wants kept. */
export async function licenseNotices(metafile: Metafile, root: string): Promise<string> {
  const folders = new Set(beside.map((name) => `node_modules/${name}`))
  for (const input of Object.keys(metafile.inputs)) {
    const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []
    if (folder !== undefined) folders.add(folder)
  }
  const notices = await Promise.all([...folders].sort().map((folder) => noticeOf(join(root, folder), folder)))
  return notices.join(`\n\n${'-'.repeat(80)}\n\n`)
}

async function noticeOf(path: string, folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(path, 'package.json'), 'utf8'))
  const files = (await readdir(path)).filter((file) => /^(?:licen[cs]e|notice|copying)\b/i.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))
  if (texts.length === 0 && beside.some((known) => folder.endsWith(`/${known}`))) texts.push(microsoftMit)
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n')
}
