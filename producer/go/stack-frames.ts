// Addresses of a stack, as a record has them, to the functions of its program.
import type { Frame, PclnTable } from './pclntab.ts'

/**
 * The functions that a call was made through, innermost first.
 * @param addresses of the instruction behind the call, what the stack pointer points to, then return addresses
 * @param bias from addresses as linked to those of the process
 */
export const framesOf = (table: PclnTable, addresses: readonly number[], bias: number): Frame[] => {
  const [leaf = 0, top = 0, ...returns] = addresses
  // A call may end a function: the address behind it is then another's.
  const inside = (address: number): number => address - bias - 1
  const frames = table.framesAt(inside(leaf))
  if (table.isFrameless(inside(leaf))) frames.push(...table.framesAt(inside(top)))
  for (const address of returns) frames.push(...table.framesAt(inside(address)))
  return frames
}
