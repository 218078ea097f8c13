// SPDX-License-Identifier: Apache-2.0
#include "ring_reader.h"

#include <linux/bpf.h>
#include <linux/types.h>

#include <algorithm>
#include <cstring>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

RingReader::RingReader(int fd, uint32_t bytes, uint64_t position) : size_(bytes), position_(position), copied_until_(position) {
  // Layout: the consumer's page, the producer's page, and the data mapped twice in a row, so that no record wraps.
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  consumer_ = Mapping(fd, page, PROT_READ | PROT_WRITE, 0, "the consumer page of a ring");
  producer_ = Mapping(fd, page + 2 * size_, PROT_READ, static_cast<off_t>(page), "a ring");
  released_ = consumer_.as<uint64_t>();
  data_ = producer_.data() + page;
  __atomic_store_n(released_, position, __ATOMIC_RELEASE);
}

uint64_t RingReader::ProducerPosition() const { return __atomic_load_n(producer_.as<uint64_t>(), __ATOMIC_ACQUIRE); }

RingReader::Result RingReader::Read(uint8_t* into, const Bounds& bounds) {
  Result result{};
  size_t& filled = result.bytes;
  while (position_ < bounds.end) {
    const uint8_t* header = data_ + (position_ & (size_ - 1));
    const uint32_t word = __atomic_load_n(reinterpret_cast<const uint32_t*>(header), __ATOMIC_ACQUIRE);
    if (word & BPF_RINGBUF_BUSY_BIT) break;
    const uint64_t length = word & ~BPF_RINGBUF_DISCARD_BIT;
    const uint64_t next = position_ + ((length + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL);
    if (word & BPF_RINGBUF_DISCARD_BIT) {
      position_ = next;
      continue;
    }
    const auto* event = reinterpret_cast<const ringside_event*>(header + BPF_RINGBUF_HDR_SZ);
    const size_t size = std::min<uint64_t>(event->size, length);
    if (event->time_ns > bounds.until_ns) break;
    result.is_full = size > bounds.room - filled;
    if (result.is_full) break;
    result.last_ns = event->time_ns;
    // The bytes reserved between the strings and the stack are stale: the ring does not zero them.
    const size_t used = std::min(sizeof(ringside_event) + event->path_size + event->extra_size, size);
    std::memcpy(into + filled, event, used);
    const size_t stack = (event->flags & RINGSIDE_HAS_STACK) != 0 ? std::min((used + 7) & ~size_t{7}, size) : size;
    std::memset(into + filled + used, 0, stack - used);
    std::memcpy(into + filled + stack, reinterpret_cast<const uint8_t*>(event) + stack, size - stack);
    reinterpret_cast<ringside_event*>(into + filled)->advance = static_cast<uint32_t>(next - copied_until_);
    filled += size;
    position_ = copied_until_ = next;
  }
  return result;
}

void RingReader::CheckRelease(uint64_t position) const {
  if (position < *released_ || position > position_) throw Failure{"release a position that was not read", ERANGE, ""};
}

void RingReader::Release(uint64_t position) {
  // From here on the kernel may overwrite everything before it.
  __atomic_store_n(released_, position, __ATOMIC_RELEASE);
}

bool RingReader::IsDrained() const { return position_ == ProducerPosition(); }

double RingReader::Pressure() const {
  return static_cast<double>(position_ - *released_) / static_cast<double>(size_);
}

}  // namespace ringside
