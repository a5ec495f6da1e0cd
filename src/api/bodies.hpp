#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weir/exchange/request.hpp>
#include "dialects/openai_chat/chat_facts.hpp"
#include "dialects/openai_chat/find_model.hpp"
#include "dialects/openai_chat/request_patch.hpp"

namespace weir::api {

/// A chat request's body: what is known of it, and how it is addressed to a model.
class ChatBody final : public AddressedBody {
 public:
  explicit ChatBody(openai_chat::ChatFacts facts) : facts_(std::move(facts)) {}

  const openai_chat::ChatFacts& facts() const { return facts_; }
  void describe(Request& request) const {
    request.addressed = this;
    request.model = facts_.model.view();
    request.stream = facts_.stream;
    request.include_usage = facts_.include_usage || request.wants_cost;
    request.needs_tools = facts_.tools;
    request.needs_schema = facts_.schema;
    request.messages = facts_.messages;
    request.system_hash = facts_.system_hash;
    request.prompt_hash = facts_.prompt_hash;
    request.reask_of = facts_.reask_of;
  }
  Patch patch_for(std::string_view upstream_model) const override {
    return openai_chat::make_patch(facts_, upstream_model, facts_.stream && !facts_.include_usage);
  }

 private:
  openai_chat::ChatFacts facts_;
};

/// Any other body: only its model's name may change, where it is JSON and has one.
class RawBody final : public AddressedBody {
 public:
  explicit RawBody(std::optional<openai_chat::FoundModel> model) : model_(std::move(model)) {}

  void describe(Request& request) const {
    request.addressed = this;
    if (model_) request.model = model_->name.view();
  }
  Patch patch_for(std::string_view upstream_model) const override;

 private:
  std::optional<openai_chat::FoundModel> model_;
};

/// %-escapes of a path segment undone.
std::string without_escapes(std::string_view text);

}  // namespace weir::api
