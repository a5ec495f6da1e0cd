#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <weir/exchange/service.hpp>
#include "dialects/vocabulary/codec.hpp"
#include "net/offload.hpp"
#include "net/worker.hpp"
#include "providers/google_token.hpp"
#include "providers/settings.hpp"

namespace weir::providers {

enum class Framing : std::uint8_t { sse, aws_events };

/// One request of one attempt, before its head is written.
struct Outgoing {
  const Call& call;
  const Attempt& attempt;
  const vocabulary::EncodedRequest* encoded = nullptr;  ///< null = the client's own bytes go, with their patch
  TimePoint ready_at{};                                 ///< when nothing was left to do but to send it
};

/// What a protocol does its own way beside the bytes of its bodies. Asked a few times per attempt, never per event.
///
/// Thread: one per worker and provider entry.
class ProtocolRules {
 public:
  virtual ~ProtocolRules() = default;

  /// Whether a body of this dialect goes up, and its answer down, as it is.
  virtual bool speaks(Dialect dialect) const = 0;
  /// For every other dialect, and to read answers of those that are not OpenAI's chat.
  virtual const vocabulary::Codec& codec() const = 0;
  /// The codec of an answer to `dialect`, which speaks() is true for.
  virtual const vocabulary::Codec& native_codec(Dialect /*dialect*/) const { return codec(); }
  virtual Framing framing() const { return Framing::sse; }
  /// What the answers to streamed calls come as.
  virtual std::string_view accepted_stream() const { return "text/event-stream"; }
  /// Whether calls that weir does not know go there as they are.
  virtual bool takes_raw() const { return true; }
  virtual vocabulary::TargetTraits traits(const Target& target) const = 0;

  /// Appends path and query, below the host.
  virtual void append_address(const Outgoing& request, std::string& to) const = 0;
  /// Appends the fields that carry the credentials, each with its line end, and others that only this protocol has.
  virtual void append_fields(const Outgoing& request, std::string& to) const = 0;

  /// False: prepare() must be awaited before a request can be sent.
  virtual bool prepared() const { return true; }
  virtual awaitable<std::optional<Ending>> prepare(Interrupt& /*interrupt*/) { co_return std::nullopt; }

  /// `exception`: the field in which AWS names it; empty elsewhere.
  virtual Ending decode_error(int status, std::string_view body, std::string_view retry_after,
                              std::string_view exception) const = 0;
};

/// Requires: not the demo. `account`: of vertex.
std::unique_ptr<ProtocolRules> make_rules(const ProviderSettings& settings, net::Worker& worker, net::Offload& offload,
                                          std::shared_ptr<const ServiceAccount> account);

/// One for the file that has the protocol.
std::unique_ptr<ProtocolRules> make_anthropic_rules(const ProviderSettings& settings);
std::unique_ptr<ProtocolRules> make_gemini_rules(const ProviderSettings& settings);
std::unique_ptr<ProtocolRules> make_vertex_rules(const ProviderSettings& settings, net::Worker& worker,
                                                 net::Offload& offload, std::shared_ptr<const ServiceAccount> account);
std::unique_ptr<ProtocolRules> make_bedrock_rules(const ProviderSettings& settings);

/// The path of a base_url, without a trailing slash, and without the `version` that the protocol's own paths begin with
/// (RULINGS 16).
std::string base_path(std::string_view base_url, std::string_view version = {});
/// Host and port as they stand in it.
std::string_view authority_of(std::string_view base_url);
/// `/v1/models?x` is `/models?x`.
std::string_view without_v1(std::string_view target);
/// Whether this attempt goes out with the caller's own key.
bool sends_own_key(const Call& call);
/// What the catalogue and the settings say of the model.
vocabulary::TargetTraits traits_of(const Target& target, const Quirks& quirks);

}  // namespace weir::providers
