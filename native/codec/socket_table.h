// SPDX-License-Identifier: Apache-2.0
// Rows of a batch's socket table, one for each distinct pair of addresses, as in producer/encode/socket-table.ts.
#pragma once

#include <array>

#include "lru_cache.h"
#include "record.h"

namespace ringside {

class SocketTable {
 public:
  struct Row {
    int32_t index;
    // Increase of the bound on the batch's size; 0 when the batch already has the row.
    size_t bytes;
  };

  // Returns the socket's index, and adds a row unless the batch has it. `batch` is the batch's number.
  Row IndexOf(const ringside_socket& socket, uint64_t batch, int32_t& count, Output& rows);

 private:
  struct Entry {
    ringside_socket socket;
    uint64_t batch;
    int32_t index;
  };

  // Evicted rows are made again.
  static constexpr size_t kMaxSockets = 16384;

  LruCache<uint32_t, Entry> entries_{kMaxSockets};
};

}  // namespace ringside
