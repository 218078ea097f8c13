// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <algorithm>

namespace ringside {

// A typed array that C++ writes and JavaScript reads, as a property of an object. Reserve() replaces it when it is too
// short.
template <typename T>
class Column {
 public:
  // The property must exist and have the right type.
  Column(const Napi::Object& owner, const char* name)
      : owner_(Napi::Persistent(owner)), name_(name), array_(Napi::Persistent(owner.Get(name).As<Array>())) {}

  // Call before each message: JavaScript may have transferred the array's memory to another thread.
  void Open() {
    Array array = array_.Value();
    length_ = array.ElementLength();
    data_ = length_ == 0 ? nullptr : array.Data();
  }

  // Makes room for `length` values and keeps the present ones.
  void Reserve(size_t length) {
    if (length > length_) Grow(length + length / 2);
  }

  T& operator[](size_t i) { return data_[i]; }

 private:
  using Array = Napi::TypedArrayOf<T>;

  void Grow(size_t length) {
    Array array = Array::New(owner_.Env(), length);
    std::copy_n(data_, length_, array.Data());
    array_ = Napi::Persistent(array);
    owner_.Set(name_, array);
    data_ = array.Data();
    length_ = length;
  }

  Napi::ObjectReference owner_;
  const char* name_;
  Napi::Reference<Array> array_;
  T* data_ = nullptr;
  size_t length_ = 0;
};

}  // namespace ringside
