// What bpf/event.h and bpf/calls.h define, read from a built BPF object (contract.cc).
import { join } from 'node:path'
import { addon, buildDir, type Contract, toRingsideError } from './addon.ts'

/** @throws RingsideError OS when the file is not a BPF object of Ringside, or the addon is not built */
export const readContract = (object = join(buildDir, 'ringside.bpf.o')): Contract => {
  try {
    return addon().contract(object)
  } catch (error) {
    throw toRingsideError(error)
  }
}
