import type { Archive } from './archive.ts'
import type { ClassDef, Expr, FunctionDef, SourceFile } from './script/ast.ts'
import { parseSource } from './script/parse.ts'

/** The code of an archive. A file is inflated and parsed when something in it is first asked for. */
export class Program {
  private readonly archive: Archive
  private readonly files = new Map<string, SourceFile | undefined>()

  constructor(archive: Archive) {
    this.archive = archive
  }

  /** The class `__torch__.a.b.C`, of `code/__torch__/a/b.py`. */
  class(name: string): ClassDef | undefined {
    const [file, last] = this.place(name)
    return file?.classes.get(last)
  }

  function(name: string): FunctionDef | undefined {
    const [file, last] = this.place(name)
    return file?.functions.get(last)
  }

  private place(name: string): [SourceFile | undefined, string] {
    const dot = name.lastIndexOf('.')
    const path = `${name.slice(0, dot).replaceAll('.', '/')}.py`
    if (!this.files.has(path)) {
      const source = this.archive.source(path)
      this.files.set(path, source === undefined ? undefined : parseSource(source, path))
    }
    return [this.files.get(path), name.slice(dot + 1)]
  }
}

/** `a.b.c` for an expression of attributes of a name. */
export function dottedName(e: Expr): string | undefined {
  if (e.kind === 'name') return e.name
  if (e.kind !== 'attribute') return undefined
  const of = dottedName(e.of)
  return of && `${of}.${e.name}`
}

/** A type as it is written, for people and for comparing: `Optional[List[Tensor]]`. */
export function typeText(e: Expr | undefined): string {
  if (!e) return 'Tensor'
  if (e.kind === 'name') return e.name
  if (e.kind === 'constant') return String(e.value)
  if (e.kind === 'attribute') return `${typeText(e.of)}.${e.name}`
  if (e.kind === 'index') return `${typeText(e.of)}[${e.index.map(typeText).join(', ')}]`
  if (e.kind === 'tuple' || e.kind === 'list') return `(${e.items.map(typeText).join(', ')})`
  return '?'
}
