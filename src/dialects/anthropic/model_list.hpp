#pragma once
#include <span>
#include <string>

#include "dialects/openai_chat/model_list.hpp"

namespace weir::anthropic {

/// The body of GET /v1/models/{id} as Anthropic has it.
std::string encode_model(const openai_chat::ListedModel& model);

/// The body of GET /v1/models: one page with all of them, whatever `limit` was asked.
std::string encode_model_list(std::span<const openai_chat::ListedModel> models);

}  // namespace weir::anthropic
