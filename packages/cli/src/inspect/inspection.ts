/** What is found in a file: for a person, and for a program. */
export interface Inspection {
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
  /** The file is of its kind, but cannot be used; the text says why. */
  readonly isUnusable?: boolean
}
