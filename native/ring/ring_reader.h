// SPDX-License-Identifier: Apache-2.0
// Reads a BPF ring buffer (kernel/bpf/ringbuf.c) without releasing it: the read position is separate from the kernel's
// consumer position, which moves only with Release. Positions count bytes since the ring was created, and never wrap. For
// one thread.
#ifndef RINGSIDE_RING_READER_H
#define RINGSIDE_RING_READER_H

#include <cstddef>
#include <cstdint>

#include "mapping.h"

namespace ringside {

class RingReader {
 public:
  RingReader() = default;
  // `bytes` is the ring's max_entries. Releases all before `position` and reads from there.
  RingReader(int fd, uint32_t bytes, uint64_t position);

  struct Bounds {
    size_t room;
    uint64_t end;       // a ProducerPosition
    uint64_t until_ns;  // the time of the last record to copy
  };
  struct Result {
    size_t bytes;
    uint64_t last_ns;  // time of the last record copied
    bool is_full;      // a record had no room
  };
  // Copies whole records within the bounds. Sets the field `advance` of each to the ring's bytes from the end of the
  // previous copied record to its own end.
  Result Read(uint8_t* into, const Bounds& bounds);
  uint64_t ProducerPosition() const;

  // Throws Failure unless `position` is between the released and the read position.
  void CheckRelease(uint64_t position) const;
  // Frees the room before `position` for the kernel.
  void Release(uint64_t position);

  // Everything was read.
  bool IsDrained() const;
  // Fraction of the ring that was read but not released: 0 to 1.
  double Pressure() const;

 private:
  Mapping consumer_;
  Mapping producer_;
  uint64_t* released_ = nullptr;  // the kernel's consumer position
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
  uint64_t position_ = 0;         // the read position
  uint64_t copied_until_ = 0;     // position at the end of the last copied record
};

}  // namespace ringside

#endif
