/** By file of golden/ and name of the case: part of the reason that the importer gives, or of what differs. */
export const knownGaps: Readonly<Record<string, Readonly<Record<string, string>>>> = {}

/** Operators that are lowered and that no case can reach, with why. */
export const opsWithoutCase: Readonly<Record<string, string>> = {}
