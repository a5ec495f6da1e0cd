#include "dialects/openai_chat/request_patch.hpp"

#include "dialects/json/text.hpp"

namespace weir::openai_chat {
namespace {

void cut(Patch& patch, Span span) {
  patch.replace(span.begin, span.end, {});
}

void cut_metadata(Patch& patch, const ChatFacts& facts) {
  if (!facts.metadata.present()) return;
  const std::uint32_t ours = (facts.task_member.present() ? 1U : 0U) + (facts.user_member.present() ? 1U : 0U);
  const bool whole = facts.metadata_rule == MetadataRule::goes_unless_stored && !facts.store;
  if (whole || (ours > 0 && ours == facts.metadata_members)) {
    cut(patch, facts.metadata.cut(facts.metadata.comma_before != MemberSpan::none));
    return;
  }
  if (facts.task_member.present()) cut(patch, facts.task_member.cut(facts.stays_before_task));
  if (facts.user_member.present()) cut(patch, facts.user_member.cut(facts.stays_before_user));
}

void ask_for_usage(Patch& patch, const ChatFacts& facts) {
  constexpr std::string_view member = R"("include_usage":true)";
  const Span options = facts.stream_options;
  if (options.empty()) {
    patch.replace(facts.tail_insert, facts.tail_insert, R"(,"stream_options":{"include_usage":true})");
  } else if (!facts.stream_options_object) {
    patch.replace(options.begin, options.end, "{" + std::string{member} + "}");
  } else if (!facts.include_usage_value.empty()) {
    if (!facts.include_usage) patch.replace(facts.include_usage_value.begin, facts.include_usage_value.end, "true");
  } else {
    const std::uint32_t inside = options.begin + 1;
    patch.replace(inside, inside, std::string{member} + (facts.stream_options_empty ? "" : ","));
  }
}

}  // namespace

Patch make_patch(const ChatFacts& facts, std::string_view upstream_model, bool inject_include_usage) {
  Patch patch;
  if (!upstream_model.empty() && upstream_model != facts.model.view()) {
    patch.replace(facts.model_value.begin, facts.model_value.end, json::quoted(upstream_model));
  }
  cut_metadata(patch, facts);
  if (inject_include_usage) ask_for_usage(patch, facts);
  return patch;
}

}  // namespace weir::openai_chat
