// Paths of cgroups in, the id of the container that they belong to out. Pure.

/**
 * Names of a container's cgroup, by engine. Docker, containerd (CRI), CRI-O, Podman, nerdctl and runc under systemd name a
 * scope after themselves; their monitors (conmon) are no containers. With cgroupfs the name is the bare id, below a folder
 * of the engine or at the top (plain runc). systemd-nspawn names a scope or service after the machine.
 */
const scopePattern = /^(?:docker|cri-containerd|crio|libpod|nerdctl|runc)-([0-9a-f]{64})(?:\.scope)?$/
const sliceScopePattern = /:(?:docker|cri-containerd|crio|libpod|nerdctl):([0-9a-f]{64})$/
const bareIdPattern = /^[0-9a-f]{64}$/
const engineFolderPattern = /^(?:docker|podman|libpod_parent|ecs|garden|kubepods.*|pod[0-9a-f-]+|burstable|besteffort)$/
const machinePattern = /^(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service)$/

const unescapeUnit = (name: string): string =>
  name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** @param path of a cgroup, from the root of its hierarchy: the outermost container that contains it */
const containerIdInPath = (path: string): string | null => {
  const names = path.split('/').filter((name) => name !== '')
  for (const [depth, name] of names.entries()) {
    const id = scopePattern.exec(name)?.[1] ?? sliceScopePattern.exec(name)?.[1]
    if (id !== undefined) return id
    if (
      bareIdPattern.test(name) &&
      (depth === 0 || names.slice(0, depth).some((each) => engineFolderPattern.test(each)))
    )
      return name
    const machine = machinePattern.exec(name)
    if (machine !== null && names[0] === 'machine.slice') return unescapeUnit(machine[1] ?? machine[2] ?? '')
  }
  return null
}

/** @param paths of a process's cgroup in several hierarchies, one a line: the first that names a container counts */
export const containerIdIn = (paths: string): string | null => {
  for (const path of paths.split('\n')) {
    const id = containerIdInPath(path)
    if (id !== null) return id
  }
  return null
}
