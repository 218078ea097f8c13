// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <algorithm>

namespace ringside {

// A typed array that is written here and read in JavaScript, where it is a property; when it has to grow, another one
// takes its place.
template <typename T>
class Column {
 public:
  // The property is there, and an array of the right kind.
  Column(const Napi::Object& owner, const char* name)
      : owner_(Napi::Persistent(owner)), name_(name), array_(Napi::Persistent(owner.Get(name).As<Array>())) {}

  // Before each use: JavaScript may have given the array's memory to another thread, and then there is none.
  void Open() {
    Array array = array_.Value();
    length_ = array.ElementLength();
    data_ = length_ == 0 ? nullptr : array.Data();
  }

  // Makes room for so many values. Those there are stay.
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
