// SPDX-License-Identifier: Apache-2.0
#include "layout.h"

#include <btf.h>

#include <cerrno>
#include <memory>

#include "failure.h"
#include "libbpf_log.h"

namespace ringside {

namespace {

void AddFields(const btf* types, const btf_type* type, const std::string& prefix, uint32_t base, Layout& layout) {
  const btf_member* members = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); i++) {
    const std::string name = prefix + btf__name_by_offset(types, members[i].name_off);
    const uint32_t offset = base + btf_member_bit_offset(type, i) / 8;
    const btf_type* inner = btf__type_by_id(types, static_cast<uint32_t>(btf__resolve_type(types, members[i].type)));
    layout.fields.push_back({name, offset});
    if (inner != nullptr && btf_is_composite(inner)) AddFields(types, inner, name + ".", offset, layout);
  }
}

}  // namespace

Layout LayoutOf(const std::string& object, const std::string& name) {
  LibbpfLog log;
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__parse(object.c_str(), nullptr), btf__free);
  if (types == nullptr) throw Failure{"read the types of " + object, errno, log.text()};
  const int id = btf__find_by_name_kind(types.get(), name.c_str(), BTF_KIND_STRUCT);
  if (id < 0) throw Failure{"find struct " + name, -id, log.text()};
  const btf_type* type = btf__type_by_id(types.get(), static_cast<uint32_t>(id));
  Layout layout{type->size, {}};
  AddFields(types.get(), type, "", 0, layout);
  return layout;
}

}  // namespace ringside
