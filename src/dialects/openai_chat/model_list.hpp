#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weir::openai_chat {

struct ListedModel {
  std::string_view id;
  std::string_view owned_by;
  std::int64_t created_unix_seconds = 0;
};

/// The body of GET /v1/models/{id}.
std::string encode_model(const ListedModel& model);

/// The body of GET /v1/models.
std::string encode_model_list(std::span<const ListedModel> models);

}  // namespace weir::openai_chat
