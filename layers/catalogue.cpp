#include "catalogue.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;

// Names of enumerators, in their order.
constexpr const char* kPadding[] = {"same", "valid", "custom"};
constexpr const char* kInit[] = {"zeros",         "he_normal",      "he_uniform",
                                 "glorot_normal", "glorot_uniform", "truncated_normal",
                                 "ones"};
constexpr const char* kPadMode[] = {"zero", "reflect", "edge"};
constexpr const char* kInterpolation[] = {"nearest", "linear"};
constexpr const char* kAlignment[] = {"half_pixel", "corners", "top_left"};
constexpr const char* kReduction[] = {"sum", "mean", "max"};
constexpr const char* kReduceOver[] = {"spatial", "channels", "sample"};
std::span<const char* const> names_of(Padding) { return kPadding; }
std::span<const char* const> names_of(Activation) { return kActivationNames; }
std::span<const char* const> names_of(Init) { return kInit; }
std::span<const char* const> names_of(PadMode) { return kPadMode; }
std::span<const char* const> names_of(Interpolation) { return kInterpolation; }
std::span<const char* const> names_of(Alignment) { return kAlignment; }
std::span<const char* const> names_of(Reduction) { return kReduction; }
std::span<const char* const> names_of(ReduceOver) { return kReduceOver; }

template <class T>
Json value_of(const T& value) {
  if constexpr (std::is_enum_v<T>)
    return names_of(value)[static_cast<std::size_t>(value)];
  else
    return value;
}

template <class T>
void read_value(const Json& json, T& value) {
  if constexpr (std::is_enum_v<T>) {
    const auto& name = json.get_ref<const std::string&>();
    const auto names = names_of(value);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (name == names[i]) {
        value = static_cast<T>(i);
        return;
      }
    fail(ErrorKind::input, "unknown value '", name.substr(0, 32), "'");
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) fail(ErrorKind::input, "expected true or false");
    value = json.get<bool>();
  } else if constexpr (std::is_same_v<T, double>) {
    if (!json.is_number()) fail(ErrorKind::input, "expected a number");
    value = json.get<double>();
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    if (!json.is_number_integer()) fail(ErrorKind::input, "expected a whole number");
    value = json.get<std::int64_t>();
  } else {
    static_assert(std::is_same_v<T, Sizes>);
    if (!json.is_array() || json.size() > static_cast<std::size_t>(Shape::kMaxRank))
      fail(ErrorKind::input, "expected a list of up to ", Shape::kMaxRank, " whole numbers");
    value.clear();
    for (const Json& item : json) {
      value.emplace_back();
      read_value(item, value.back());
    }
  }
}

// function(name, member of `layer`) for every field.
template <class L, class Function>
void for_fields(L& layer, Function&& function) {
  std::apply([&](const auto&... field) { (function(field.name, layer.*(field.member)), ...); },
             std::remove_const_t<L>::fields);
}

template <class L>
Json changed_fields(const L& layer) {
  Json json = Json::object();
  const L defaults;
  Json standard = Json::object();
  for_fields(defaults,
             [&](const char* name, const auto& value) { standard[name] = value_of(value); });
  for_fields(layer, [&](const char* name, const auto& value) {
    Json entry = value_of(value);
    if (entry != standard[name]) json[name] = std::move(entry);
  });
  return json;
}

template <class L>
L parse(const Json& json) {
  L layer;
  for (const auto& [key, value] : json.items()) {
    if (key == "kind") continue;
    bool known = false;
    for_fields(layer, [&, name = key, &entry = value](const char* field, auto& member) {
      if (name != field) return;
      known = true;
      try {
        read_value(entry, member);
      } catch (const Error& error) {
        throw error.with_context(text(L::kind, ": field '", field, "'"));
      } catch (const Json::exception&) {
        fail(ErrorKind::input, L::kind, ": field '", field, "' has the wrong type");
      }
    });
    if (!known)
      fail(ErrorKind::input, L::kind, ": unknown field '", key.substr(0, 32),
           "'; the file may come from a newer version");
  }
  return layer;
}

template <std::size_t... I>
Layer parse_kind(const std::string& kind, const Json& json, std::index_sequence<I...>) {
  Layer layer;
  const bool known = ((kind == std::variant_alternative_t<I, Layer>::kind &&
                       (layer = parse<std::variant_alternative_t<I, Layer>>(json), true)) ||
                      ...);
  if (!known)
    fail(ErrorKind::input, "unknown layer kind '", kind.substr(0, 32),
         "'; the file may come from a newer version");
  return layer;
}

}  // namespace

std::string_view kind_of(const Layer& layer) {
  return std::visit([](const auto& l) -> std::string_view { return l.kind; }, layer);
}

std::string to_json(const Layer& layer) {
  return std::visit(
      [](const auto& l) {
        Json json = changed_fields(l);
        json["kind"] = l.kind;
        return json.dump();
      },
      layer);
}

Layer layer_from_json(std::string_view source) {
  const Json json = Json::parse(source, nullptr, false);
  if (!json.is_object() || !json.contains("kind") || !json["kind"].is_string())
    fail(ErrorKind::input, "a layer must be an object with a kind");
  return parse_kind(json["kind"].get<std::string>(), json,
                    std::make_index_sequence<std::variant_size_v<Layer>>());
}

void check_fields(const Layer& layer) {
  std::visit(
      [](const auto& l) {
        for_fields(l, [&](const char* name, const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, double>)
            require(std::isfinite(value), l.kind, ": ", name, " is ", value, ", expected a number");
          else if constexpr (std::is_enum_v<T>)
            require(static_cast<std::size_t>(value) < names_of(value).size(), l.kind, ": ", name,
                    " has no value ", static_cast<int>(value));
        });
      },
      layer);
}

std::string summary(const Layer& layer) {
  std::string line;
  const Json json = std::visit([](const auto& l) { return changed_fields(l); }, layer);
  for (const auto& [name, value] : json.items()) {
    line += (line.empty() ? "" : ", ") + name + " ";
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) line += (i ? " x " : "") + value[i].dump();
    } else if (value.is_number_float()) {
      line += text(value.get<double>());  // six digits
    } else {
      line += value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return line;
}

}  // namespace ratnet::inline v1
