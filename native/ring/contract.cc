// SPDX-License-Identifier: Apache-2.0
#include "contract.h"

#include <btf.h>
#include <libbpf.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "failure.h"
#include "libbpf_log.h"

namespace ringside {

namespace {

struct Bytes {
  const uint8_t* begin;
  size_t count;
};

using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

constexpr std::string_view kPrefix = "ringside_";
constexpr std::string_view kConstants = ".rodata";
constexpr std::string_view kClassOfCall = "class_of_call";

std::string_view NameOf(const btf* types, const btf_type* type) { return btf__name_by_offset(types, type->name_off); }

const btf_type* TypeOf(const btf* types, uint32_t id) {
  return btf__type_by_id(types, static_cast<uint32_t>(btf__resolve_type(types, id)));
}

void AddFields(const btf* types, const btf_type* type, const std::string& prefix, uint32_t base,
               std::vector<Contract::Field>& fields) {
  const btf_member* members = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); i++) {
    const std::string name = prefix + btf__name_by_offset(types, members[i].name_off);
    const uint32_t offset = base + btf_member_bit_offset(type, i) / 8;
    const btf_type* inner = TypeOf(types, members[i].type);
    fields.push_back({name, offset});
    if (inner != nullptr && btf_is_composite(inner)) AddFields(types, inner, name + ".", offset, fields);
  }
}

Contract::Struct ToStruct(const btf* types, const btf_type* type) {
  Contract::Struct made{std::string(NameOf(types, type)), type->size, {}};
  AddFields(types, type, "", 0, made.fields);
  return made;
}

Contract::Enum ToEnum(const btf* types, const btf_type* type) {
  Contract::Enum made{std::string(NameOf(types, type)), {}};
  const auto* constants = btf_enum(type);
  for (uint32_t i = 0; i < btf_vlen(type); i++) {
    made.constants.push_back({btf__name_by_offset(types, constants[i].name_off), constants[i].val});
  }
  return made;
}

// The bytes of a section's map before the object is loaded.
Bytes InitialValue(const bpf_object* object, std::string_view section) {
  const bpf_map* map;
  bpf_object__for_each_map(map, object) {
    const std::string_view name = bpf_map__name(map);
    if (name.size() < section.size() || name.substr(name.size() - section.size()) != section) continue;
    size_t bytes = 0;
    const void* value = bpf_map__initial_value(map, &bytes);
    return {static_cast<const uint8_t*>(value), bytes};
  }
  return {nullptr, 0};
}

std::vector<uint8_t> ReadVariable(const bpf_object* object, std::string_view section, std::string_view name) {
  const btf* types = bpf_object__btf(object);
  const int id = btf__find_by_name_kind(types, std::string(section).c_str(), BTF_KIND_DATASEC);
  if (id < 0) throw Failure{"find section " + std::string(section), -id, ""};
  const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(id));
  const btf_var_secinfo* variables = btf_var_secinfos(type);
  const Bytes bytes = InitialValue(object, section);
  for (uint32_t i = 0; i < btf_vlen(type); i++) {
    const btf_var_secinfo& variable = variables[i];
    if (NameOf(types, btf__type_by_id(types, variable.type)) != name) continue;
    if (variable.offset + variable.size > bytes.count) break;
    const uint8_t* value = bytes.begin + variable.offset;
    return {value, value + variable.size};
  }
  throw Failure{"find " + std::string(name) + " in " + std::string(section), ENOENT, ""};
}

}  // namespace

Contract ReadContract(const std::string& path) {
  LibbpfLog log;
  const Object object(bpf_object__open(path.c_str()), bpf_object__close);
  if (object == nullptr) throw Failure{"open " + path, errno, log.text()};
  const btf* types = bpf_object__btf(object.get());
  if (types == nullptr) throw Failure{"read the types of " + path, ENOENT, log.text()};
  Contract contract;
  for (uint32_t id = 1; id < btf__type_cnt(types); id++) {
    const btf_type* type = btf__type_by_id(types, id);
    if (NameOf(types, type).substr(0, kPrefix.size()) != kPrefix) continue;
    if (btf_is_struct(type)) contract.structs.push_back(ToStruct(types, type));
    if (btf_is_enum(type)) contract.enums.push_back(ToEnum(types, type));
  }
  contract.class_of_call = ReadVariable(object.get(), kConstants, kClassOfCall);
  return contract;
}

}  // namespace ringside
