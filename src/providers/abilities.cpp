#include "providers/abilities.hpp"

#include <fmt/format.h>

namespace weir::providers {
namespace {

vocabulary::Refusal refusal(const Target& target, std::string_view lacks, std::string_view ability,
                            std::string_view param) {
  return {.message = fmt::format("The model {} {}. If it does, say so: {} belongs into models.<name>.abilities.",
                                 target.model, lacks, ability),
          .param = std::string(param),
          .code = "unsupported_value"};
}

vocabulary::Refusal no_schema(const Target& target, std::string_view param) {
  return refusal(target, "cannot hold its answer to a JSON Schema", "schema", param);
}
vocabulary::Refusal no_stream(const Target& target) {
  return refusal(target, "does not stream its answers", "streaming", "stream");
}

std::string_view schema_param(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_responses:
      return "text.format";
    case Dialect::anthropic:
      return "output_config.format";
    default:
      return "response_format";
  }
}

}  // namespace

std::optional<Ending> lacking(const Request& request, const Target& target) {
  const ModelAbilities& able = target.abilities;
  if (request.needs_tools && !able.tools) return ending_of(refusal(target, "takes no tools", "tools", "tools"));
  if (request.needs_schema && !able.schema) return ending_of(no_schema(target, schema_param(request.dialect)));
  if (request.stream && !able.streaming) return ending_of(no_stream(target));
  return std::nullopt;
}

std::optional<vocabulary::Refusal> lacking(const vocabulary::ChatRequest& request, const Target& target,
                                           const vocabulary::TargetTraits& traits) {
  const bool schema = request.response_format.format == vocabulary::Format::json_schema;
  if (schema && traits.native_schema && !target.abilities.schema) return no_schema(target, "response_format");
  if (request.stream && !target.abilities.streaming) return no_stream(target);
  return std::nullopt;
}

Ending ending_of(const vocabulary::Refusal& refusal) {
  Ending ending;
  ending.failure = refusal.failure;
  ending.phase = Phase::resolve;
  ending.permanent = true;
  ending.message = refusal.message;
  ending.param = refusal.param;
  ending.code = refusal.code;
  return ending;
}

}  // namespace weir::providers
