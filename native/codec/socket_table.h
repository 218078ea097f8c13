// SPDX-License-Identifier: Apache-2.0
// Records to rows of a batch's socket table: one for each distinct socket address pair, as producer/encode/socket-table.ts
// has it.
#pragma once

#include <array>

#include "lru_cache.h"
#include "record.h"

namespace ringside {

class SocketTable {
 public:
  struct Row {
    int32_t index;
    // Bytes by which it raised the bound on the batch's size; 0 when it was there.
    size_t bytes;
  };

  // The socket of a record that has one; one new to the batch is added to its rows. The batch's number grows.
  Row IndexOf(const ringside_socket& socket, uint64_t batch, int32_t& count, Output& rows);

 private:
  struct Entry {
    ringside_socket socket;
    uint64_t batch;
    int32_t index;
  };

  // Beyond it rows are made again, nothing is lost.
  static constexpr size_t kMaxSockets = 16384;

  LruCache<uint32_t, Entry> entries_{kMaxSockets};
};

}  // namespace ringside
