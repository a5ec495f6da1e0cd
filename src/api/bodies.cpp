#include "api/bodies.hpp"

#include <nlohmann/json.hpp>

namespace weir::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Patch RawBody::patch_for(std::string_view upstream_model) const {
  Patch patch;
  if (model_ && !upstream_model.empty() && upstream_model != model_->name.view()) {
    patch.replace(model_->value.begin, model_->value.end, nlohmann::json(upstream_model).dump());
  }
  return patch;
}

std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        plain.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    plain.push_back(text[i]);
  }
  return plain;
}

}  // namespace weir::api
