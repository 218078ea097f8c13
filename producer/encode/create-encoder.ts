// Chooses the edge's encoder. Both write the same bytes; the native one needs a fraction of the CPU.
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { createAvscEncoder } from './avsc-encoder.ts'
import type { BatchEncoder, EncoderOptions } from './encoder.ts'
import { createNativeEncoder } from './native-encoder.ts'

/** @param codec native: the encoder in C++, or the avsc one if the addon cannot be loaded */
export const createEncoder = (codec: 'native' | 'avsc', options: EncoderOptions, log: Log): BatchEncoder => {
  if (codec === 'avsc') return createAvscEncoder(options)
  try {
    return createNativeEncoder(options)
  } catch (error) {
    log.warn(`${messageOf(error)}; encoding with avsc, at several times the CPU`)
    return createAvscEncoder(options)
  }
}
