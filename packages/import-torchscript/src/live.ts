import type { Expr, FunctionDef, Statement } from './script/ast.ts'

/** Names that statements assign, blocks within them included. */
export function assignedNames(block: readonly Statement[], found = new Set<string>()): Set<string> {
  for (const s of block) {
    if (s.kind === 'assign') for (const t of s.targets) if (t.kind === 'name') found.add(t.name)
    if (s.kind === 'field') found.add(s.name)
    if (s.kind === 'for') found.add(s.variable)
    for (const inner of blocksOf(s)) assignedNames(inner, found)
  }
  return found
}

function blocksOf(s: Statement): readonly (readonly Statement[])[] {
  if (s.kind === 'if') return [s.whenTrue, s.whenFalse]
  return s.kind === 'for' || s.kind === 'while' || s.kind === 'with'
    ? [s.body]
    : s.kind === 'def'
      ? [s.function.body]
      : []
}

/** Names a function reads anywhere but in `except`. Where that statement runs but once, no other read sees its variables. */
export function readNames(definition: FunctionDef, except?: Statement): Set<string> {
  const found = new Set<string>()
  readInBlock(definition.body, except, found)
  return found
}

function readInBlock(block: readonly Statement[], except: Statement | undefined, found: Set<string>): void {
  for (const s of block) {
    if (s === except) continue
    if (s.kind === 'assign') {
      for (const t of s.targets) if (t.kind === 'attribute') readInExpr(t.of, found)
      readInExpr(s.value, found)
    } else if (s.kind === 'if' || s.kind === 'while') readInExpr(s.condition, found)
    else if (s.kind === 'for') readInExpr(s.over, found)
    else if (s.kind === 'with') readInExpr(s.context, found)
    else if ((s.kind === 'return' || s.kind === 'expression' || s.kind === 'field') && s.value)
      readInExpr(s.value, found)
    for (const inner of blocksOf(s)) readInBlock(inner, except, found)
  }
}

/** Bounded by the parser, which bounds the nesting of expressions. */
function readInExpr(e: Expr, found: Set<string>): void {
  switch (e.kind) {
    case 'name':
      found.add(e.name)
      return
    case 'tuple':
    case 'list':
      for (const item of e.items) readInExpr(item, found)
      return
    case 'dict':
      for (const [key, value] of e.entries) {
        readInExpr(key, found)
        readInExpr(value, found)
      }
      return
    case 'attribute':
    case 'negative':
      readInExpr(e.of, found)
      return
    case 'call':
      readInExpr(e.callee, found)
      for (const a of e.args) readInExpr(a, found)
      for (const [, value] of e.keywords) readInExpr(value, found)
      return
    case 'index':
      readInExpr(e.of, found)
      for (const i of e.index) readInExpr(i, found)
      return
    case 'slice':
      readInExpr(e.of, found)
      for (const part of [e.lower, e.upper, e.step]) if (part) readInExpr(part, found)
  }
}

/** Whether a block does nothing but raise. */
export const raises = (block: readonly Statement[]): boolean =>
  block.some((s) => {
    if (s.kind !== 'expression' || s.value.kind !== 'call') return false
    const { callee } = s.value
    return callee.kind === 'attribute' && callee.name === 'RaiseException'
  })
