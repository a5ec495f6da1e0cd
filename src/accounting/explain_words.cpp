#include "accounting/explain_words.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "accounting/text_table.hpp"

namespace weir::accounting {
namespace {

using store::AttemptRow;
using store::CallRow;

std::int64_t us_of(const AttemptRow& attempt, Phase phase) {
  return attempt.phases_us[static_cast<std::size_t>(phase)];
}

std::string_view phase_words(Phase phase) {
  switch (phase) {
    case Phase::resolve:
      return "looking up the provider's address";
    case Phase::connect:
      return "connecting to the provider";
    case Phase::tls:
      return "the TLS handshake with the provider";
    case Phase::send:
      return "sending the request";
    case Phase::await_headers:
      return "waiting for the provider's first byte";
    case Phase::body:
      return "the provider's answer";
    case Phase::none:
    case Phase::count_:
      break;
  }
  return "before any attempt";
}

/// Why the policy of a failure is what it is.
std::string_view reason_of(Policy policy) {
  switch (policy) {
    case Policy::none:
      return "nothing was to be tried again";
    case Policy::give_up:
      return "it would fail the same way anywhere";
    case Policy::retry_same:
      return "another try may go well";
    case Policy::retry_elsewhere:
      return "it says nothing about other targets";
    case Policy::bigger_context:
      return "a model with a larger context may take it";
  }
  return "";
}

}  // namespace

std::string duration_text(std::int64_t us) {
  const double ms = static_cast<double>(us) / 1000;
  if (ms < 1000) return fmt::format("{:.{}f} ms", ms, ms < 10 ? 2 : 1);
  if (ms < 60'000) return fmt::format("{:.2f} s", ms / 1000);
  return fmt::format("{} m {:02} s", us / 60'000'000, us / 1'000'000 % 60);
}

std::string what_arrived(const AttemptRow& attempt) {
  std::string reply;
  if (attempt.status != 0) reply = fmt::format("answered {}", attempt.status);
  if (!attempt.reply_model.empty()) reply += fmt::format(" as {}", printable(attempt.reply_model, 64));
  if (!attempt.provider_request_id.empty()) {
    reply += fmt::format(" ({})", printable(attempt.provider_request_id, 64));
  }
  if (attempt.failure == Failure::none) return fmt::format("sent; {}, whole", reply.empty() ? "answered" : reply);
  std::string text;
  switch (attempt.phase) {
    case Phase::none:
    case Phase::resolve:
    case Phase::connect:
    case Phase::tls:
      text = "never sent: it ended while " + std::string{phase_words(attempt.phase)};
      if (attempt.phase == Phase::none) text = "never sent";
      if (attempt.phase == Phase::tls) text = "never sent: it ended in the TLS handshake with the provider";
      break;
    case Phase::send:
      text = "sent in part at most, not answered";
      break;
    case Phase::await_headers:
      text = attempt.status == 0 ? "sent, not answered" : "sent; " + reply;
      break;
    case Phase::body:
    case Phase::count_:
      text = fmt::format("sent; {}", reply.empty() ? "the answer began" : reply);
      // An error's own body is whole; what breaks off is an answer.
      if (attempt.status < 300) text += ", but the answer did not come whole";
      break;
  }
  return fmt::format("{}: {}", text, name_of(attempt.failure));
}

std::string why_again(const AttemptRow& failed, const AttemptRow& next) {
  const bool same = failed.provider == next.provider && failed.model == next.model;
  const Policy policy = row_of(failed.failure).policy;
  if (failed.failure == Failure::gateway_outrun) return "broken off: the attempt beside it answered first (hedge)";
  if (policy == Policy::give_up || policy == Policy::none) return "another attempt ran beside it or took its place";
  if (same) return fmt::format("tried again at the same target: {}", reason_of(Policy::retry_same));
  return fmt::format("tried again elsewhere: {}", reason_of(policy));
}

std::string why_not_again(const CallRow& call, const AttemptRow& failed) {
  const Policy policy = row_of(failed.failure).policy;
  if (call.outcome == Outcome::client_left) return "not tried again: nobody waits for the answer";
  if (policy == Policy::give_up || policy == Policy::none) {
    return fmt::format("not tried again: {}", reason_of(Policy::give_up));
  }
  if (call.outcome == Outcome::cut) return "not tried again: the client already had a part of the answer";
  return fmt::format("not tried again although {}: no target, time or retry budget was left", reason_of(policy));
}

std::string how_it_ended(const CallRow& call, std::span<const AttemptRow> attempts) {
  if (call.outcome == Outcome::ok) {
    return attempts.size() > 1 ? fmt::format("well, at attempt {}", attempts.size()) : "well";
  }
  std::string text = fmt::format("{}: {}", name_of(call.outcome), name_of(call.failure));
  if (attempts.empty()) return text + ", refused by weir before any provider was asked";
  if (call.phase != Phase::none) text += fmt::format(", in {} ({})", name_of(call.phase), phase_words(call.phase));
  return text;
}

std::string what_the_client_got(const CallRow& call) {
  const std::string first =
      call.first_byte_us >= 0 ? fmt::format("first content after {}", duration_text(call.first_byte_us)) : "";
  switch (call.outcome) {
    case Outcome::ok:
      return fmt::format("{}, the whole answer{}{}", call.status, first.empty() ? "" : ", ", first);
    case Outcome::client_left:
      return first.empty() ? "left before anything was sent to it" : "left while it was answered; " + first;
    case Outcome::cut:
      return fmt::format("{}, a part of the answer, then an error event or the end; {}", call.status,
                         first.empty() ? "no content" : first);
    default:
      return fmt::format("{}, an error and no answer", call.status);
  }
}

std::string who_was_slow(const CallRow& call, std::span<const AttemptRow> attempts) {
  std::int64_t network = 0, waited = 0, answered = 0;
  for (const AttemptRow& attempt : attempts) {
    network += us_of(attempt, Phase::resolve) + us_of(attempt, Phase::connect) + us_of(attempt, Phase::tls) +
               us_of(attempt, Phase::send);
    waited += us_of(attempt, Phase::await_headers);
    answered += us_of(attempt, Phase::body);
  }
  const std::int64_t tried = network + waited + answered;
  const std::int64_t own = std::max<std::int64_t>(call.took_us - tried, 0);
  const std::int64_t whole = std::max<std::int64_t>(call.took_us, tried);
  if (whole <= 0) return "nobody";
  struct Part {
    std::string_view who;
    std::int64_t us;
  };
  const std::array<Part, 4> parts{{{"the provider, until its first byte", waited},
                                   {"the provider's answer, and the client reading it", answered},
                                   {"the network to the provider", network},
                                   {"weir, and the client sending its request", own}}};
  const auto most = std::ranges::max_element(parts, {}, &Part::us);
  std::string text = fmt::format("{}: {} of {}", most->who, duration_text(most->us), duration_text(whole));
  for (const Part& part : parts) {
    // Others are named where they cost a tenth of the time.
    if (&part != &*most && part.us * 10 >= whole) text += fmt::format("; {}: {}", part.who, duration_text(part.us));
  }
  return text;
}

}  // namespace weir::accounting
