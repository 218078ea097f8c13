// SPDX-License-Identifier: Apache-2.0
#include "socket_table.h"

#include <sys/socket.h>

namespace ringside {

namespace {

// Upper bound on the Avro bytes of a row (producer/encode/avsc-batch.ts).
constexpr size_t kRowBytes = 72;

uint32_t HashOf(const ringside_socket& socket) {
  std::array<uint32_t, sizeof(socket) / sizeof(uint32_t)> words;
  std::memcpy(words.data(), &socket, sizeof(socket));
  uint32_t hash = 0;
  for (const uint32_t word : words) {
    hash = (hash ^ word) * 0x9e3779b1;
    hash ^= hash >> 15;
  }
  return hash;
}

std::string_view Address(const ringside_socket& socket, const uint8_t* bytes) {
  const size_t length = socket.family == AF_INET || socket.family == AF_VSOCK ? 4 : socket.family == AF_INET6 ? 16 : 0;
  return {reinterpret_cast<const char*>(bytes), length};
}

void Encode(const ringside_socket& socket, Output& rows) {
  uint8_t* at = rows.Room(kRowBytes);
  at = WriteLong(at, socket.family);
  at = WriteLong(at, socket.type);
  at = WriteLong(at, socket.protocol);
  at = WriteLong(at, socket.netns);
  at = WriteBytes(at, Address(socket, socket.local_address));
  at = WriteLong(at, socket.local_port);
  at = WriteBytes(at, Address(socket, socket.remote_address));
  at = WriteLong(at, socket.remote_port);
  rows.Commit(at);
}

}  // namespace

SocketTable::Row SocketTable::IndexOf(const ringside_socket& socket, uint64_t batch, int32_t& count, Output& rows) {
  const uint32_t hash = HashOf(socket);
  Entry* entry = entries_.Get(hash);
  // Two sockets with the same hash evict each other: a batch may then have a row twice, which costs only bytes.
  if (entry == nullptr || std::memcmp(&entry->socket, &socket, sizeof(socket)) != 0) {
    entry = &entries_.Set(hash, Entry{socket, 0, 0});
  }
  if (entry->batch == batch) return {entry->index, 0};
  entry->batch = batch;
  entry->index = count++;
  Encode(socket, rows);
  return {entry->index, kRowBytes};
}

}  // namespace ringside
