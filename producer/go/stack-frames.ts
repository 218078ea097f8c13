// Resolves the addresses of a recorded stack to functions of its program.
import type { Frame, PclnTable } from './pclntab.ts'

/**
 * The functions on the stack, innermost first.
 * @param addresses the address after the call, the word at the stack pointer, then return addresses
 * @param bias difference between addresses in the process and as linked
 */
export const framesOf = (table: PclnTable, addresses: readonly number[], bias: number): Frame[] => {
  const [leaf = 0, top = 0, ...returns] = addresses
  // A call may be a function's last instruction: the address after it is then in another function.
  const inside = (address: number): number => address - bias - 1
  const frames = table.framesAt(inside(leaf))
  if (table.isFrameless(inside(leaf))) frames.push(...table.framesAt(inside(top)))
  for (const address of returns) frames.push(...table.framesAt(inside(address)))
  return frames
}
