/** Cases that are refused or wrong, and a part of what is said of each. One that is mended has to be struck off. */
export const knownGaps: Readonly<Record<string, string>> = {}
