import { oneLine } from '@eas/base'
import type { Findings } from './config-error.ts'
import type { StorageMount } from './service-config.ts'
import type { ServiceKeys } from './service-keys.ts'

/** The mounts of `storage`; one whose kind is not known is left out with a warning. */
export function readStorage(keys: ServiceKeys, findings: Findings): StorageMount[] {
  const mounts: StorageMount[] = []
  const mountPaths = new Set<string>()
  for (let i = 0; i < keys.count('storage'); i++) {
    const mount_path = keys.get('storage[].mount_path', i)
    if (mount_path === undefined) continue // reported as missing
    const resource_type = keys.get('storage[].properties.resource_type', i)
    const at = keys.at('storage[].mount_path', i)
    const contents = readMountContents(keys, i)
    const [content] = contents
    if (contents.length > 1) {
      const kinds = contents.map(({ kind }) => kind).join(' and ')
      findings.bad(`storage[${i}]`, `has ${kinds}, must have one of them`, at)
    } else if (!content) {
      const message = () => `storage[${i}]: is left out, it has none of oss, nfs, git, dataset, image, empty_dir`
      findings.warn('left_out', `storage[${i}]`, message, at)
    } else if (mountPaths.has(mount_path)) {
      findings.bad(`storage[${i}].mount_path`, `"${oneLine(mount_path, 80)}" is mounted twice`, at)
    } else {
      mountPaths.add(mount_path)
      mounts.push({ mount_path, resource_type, ...content })
    }
  }
  return mounts
}

type MountContent = StorageMount extends infer M
  ? M extends unknown
    ? Omit<M, 'mount_path' | 'resource_type'>
    : never
  : never

/** Every kind that `storage[i]` names. A required value that is missing was reported, and stands here as `""`. */
function readMountContents(keys: ServiceKeys, i: number): MountContent[] {
  const contents: MountContent[] = []
  if (keys.has('storage[].oss', i)) {
    contents.push({
      kind: 'oss',
      path: keys.get('storage[].oss.path', i) ?? '',
      endpoint: keys.get('storage[].oss.endpoint', i),
      readOnly: keys.get('storage[].oss.readOnly', i),
    })
  }
  if (keys.has('storage[].nfs', i)) {
    contents.push({
      kind: 'nfs',
      path: keys.get('storage[].nfs.path', i) ?? '',
      server: keys.get('storage[].nfs.server', i) ?? '',
      readOnly: keys.get('storage[].nfs.readOnly', i),
    })
  }
  if (keys.has('storage[].git', i)) {
    contents.push({
      kind: 'git',
      repo: keys.get('storage[].git.repo', i) ?? '',
      username: keys.get('storage[].git.username', i),
      password: keys.get('storage[].git.password', i),
      branch: keys.get('storage[].git.branch', i),
      commit: keys.get('storage[].git.commit', i),
    })
  }
  if (keys.has('storage[].dataset', i)) {
    contents.push({
      kind: 'dataset',
      id: keys.get('storage[].dataset.id', i) ?? '',
      version: keys.get('storage[].dataset.version', i),
      read_only: keys.get('storage[].dataset.read_only', i),
    })
  }
  const image = keys.get('storage[].image', i)
  if (image !== undefined) contents.push({ kind: 'image', image })
  if (keys.has('storage[].empty_dir', i)) {
    contents.push({
      kind: 'empty_dir',
      medium: keys.get('storage[].empty_dir.medium', i),
      size_limit: keys.get('storage[].empty_dir.size_limit', i),
    })
  }
  return contents
}
