/** A folder of the service's machine that stands for a place in object storage: `storage[].oss` of `service.json`. */
export interface Mount {
  /** Absolute. */
  readonly mount_path: string
  /** `oss://bucket/folder` */
  readonly url: string
}

/**
 * Where a path of a configuration really is: below a mount, its place in object storage. The longest mount that fits counts.
 * @example throughMounts('/data/a', [{ mount_path: '/data', url: 'oss://b/x/' }]) // 'oss://b/x/a'
 */
export function throughMounts(path: string, mounts: readonly Mount[]): string {
  if (!path.startsWith('/')) return path
  const [mount] = mounts
    .map(({ mount_path, url }) => ({ folder: withoutSlash(mount_path), url: withoutSlash(url) }))
    .filter(({ folder }) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)
  return mount ? mount.url + withoutSlash(path.slice(mount.folder.length)) : path
}

const withoutSlash = (text: string) => text.replace(/\/+$/, '')
