// SPDX-License-Identifier: Apache-2.0
// Reads a ring of kernel/bpf/ringbuf.c without giving its room back: the place of reading is kept here, apart
// from the kernel's consumer position, which moves only when what lies before it is released. Positions
// count the ring's bytes since it was made, and never wrap. For one thread.
#ifndef RINGSIDE_RING_READER_H
#define RINGSIDE_RING_READER_H

#include <cstddef>
#include <cstdint>

#include "mapping.h"

namespace ringside {

class RingReader {
 public:
  RingReader() = default;
  // `bytes` is the ring's max_entries; reading begins at `position`, and what lies before it is released.
  RingReader(int fd, uint32_t bytes, uint64_t position);

  // Copies whole records as long as they fit, each with its field `advance` set to the bytes of the ring from the
  // end of the record before it to its own end. Returns the bytes written.
  size_t Read(uint8_t* into, size_t room);

  // Throws Failure unless `position` lies between what was released and what was read.
  void CheckRelease(uint64_t position) const;
  // Gives the room before `position` back to the kernel.
  void Release(uint64_t position);

  // Nothing is left to read.
  bool IsDrained() const;
  // Of the ring's room, what was read and is not released: 0 to 1.
  double Pressure() const;

 private:
  uint64_t ProducerPosition() const;

  Mapping consumer_;
  Mapping producer_;
  uint64_t* released_ = nullptr;  // the kernel's consumer position
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t position_ = 0;   // of reading
  uint64_t copied_until_ = 0;       // position at the end of the record that was copied last
};

}  // namespace ringside

#endif
