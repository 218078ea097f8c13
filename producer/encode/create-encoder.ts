// Which of the two encoders an edge has: what they write is the same, what it costs is not.
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { createAvscEncoder } from './avsc-encoder.ts'
import type { BatchEncoder, EncoderOptions } from './encoder.ts'
import { createNativeEncoder } from './native-encoder.ts'

/** @param codec native: the encoder in C++, or that of avsc where it cannot be loaded */
export const createEncoder = (codec: 'native' | 'avsc', options: EncoderOptions, log: Log): BatchEncoder => {
  if (codec === 'avsc') return createAvscEncoder(options)
  try {
    return createNativeEncoder(options)
  } catch (error) {
    log.warn(`encoding with avsc, which takes several times the CPU: ${messageOf(error)}`)
    return createAvscEncoder(options)
  }
}
