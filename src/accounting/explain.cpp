#include "accounting/explain.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "accounting/explain_words.hpp"
#include "accounting/moment.hpp"
#include "accounting/text_table.hpp"

namespace weir::accounting {
namespace {

using store::AttemptRow;
using store::CallRow;

constexpr std::size_t kBarWidth = 40;

std::string line(std::string_view what, std::string_view text) {
  return fmt::format("  {:<9} {}\n", what, text);
}

/// "route support, task chat": those that say something.
std::string named(std::initializer_list<std::pair<std::string_view, std::string_view>> names) {
  std::string text;
  for (const auto& [what, name] : names) {
    if (name.empty() || name == "none") continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", what, printable(name, 64));
  }
  return text;
}

std::string asked(const CallRow& call) {
  std::string text = named({{"route", call.route}, {"task", call.task}, {"model", call.model}, {"at", call.provider}});
  text += fmt::format("{}{}", text.empty() ? "" : ", ",
                      call.raw      ? "passed through"
                      : call.stream ? "streamed"
                                    : "not streamed");
  if (call.messages > 0) text += fmt::format("; {} message{}", call.messages, call.messages == 1 ? "" : "s");
  if (call.prompt_bytes > 0)
    text += fmt::format(", {} bytes of prompt", count_text(static_cast<std::int64_t>(call.prompt_bytes)));
  return text;
}

std::string caller(const CallRow& call) {
  std::string text = named({{"key", call.key}, {"group", call.group}, {"user", call.user}, {"tags", call.tags}});
  if (call.client_retry > 0)
    text += fmt::format("{}the client's retry number {}", text.empty() ? "" : ", ", call.client_retry);
  if (call.reask) text += fmt::format("{}asks again because of an answer's form", text.empty() ? "" : ", ");
  return text;
}

/// `[      ######    ]`: where in the call a phase lay. What took any time is seen.
std::string bar(std::int64_t begin_us, std::int64_t took_us, std::int64_t whole_us) {
  const auto column = [&](std::int64_t us) {
    return static_cast<std::size_t>(us * static_cast<std::int64_t>(kBarWidth) / std::max<std::int64_t>(whole_us, 1));
  };
  const std::size_t first = std::min(column(begin_us), kBarWidth - 1);
  const std::size_t size = std::min(std::max<std::size_t>(column(begin_us + took_us) - first, 1), kBarWidth - first);
  std::string drawn(kBarWidth, ' ');
  drawn.replace(first, size, size, '#');
  return "[" + drawn + "]";
}

std::string target(const AttemptRow& attempt) {
  return fmt::format("{} at {}, key {}, {}", printable(attempt.model, 64), printable(attempt.provider, 32),
                     attempt.key_index, attempt.reused_connection ? "open connection" : "new connection");
}

void draw(const AttemptRow& attempt, std::int64_t& at_us, std::int64_t whole_us, std::string& out) {
  for (std::size_t i = 0; i < attempt.phases_us.size(); ++i) {
    const std::int64_t took = attempt.phases_us[i];
    if (took <= 0) continue;  // not gone through
    out += fmt::format("    {:<13} {:>10}  {}\n", kPhaseNames[i], duration_text(took), bar(at_us, took, whole_us));
    at_us += took;
  }
}

std::string usage_text(const AttemptRow& attempt) {
  const Usage& usage = attempt.usage;
  if (usage.prompt() == 0 && usage.output == 0) {
    if (!attempt.may_have_been_billed) return "nothing was billed";
    return attempt.price_known ? "no tokens" : "what it used is not known";
  }
  std::string text = fmt::format("{} prompt tokens", count_text(usage.prompt()));
  if (usage.cache_read > 0) text += fmt::format(" ({} from the cache)", count_text(usage.cache_read));
  if (usage.cache_write > 0) text += fmt::format(" ({} into the cache)", count_text(usage.cache_write));
  text += fmt::format(", {} of output", count_text(usage.output));
  if (usage.reasoning > 0) text += fmt::format(" ({} reasoning)", count_text(usage.reasoning));
  if (usage.estimated) text += ", estimated from bytes";
  text += attempt.price_known ? fmt::format(": ${}", dollars_text(attempt.cost)) : ": price unknown, booked at 0";
  return text + (attempt.wasted ? ", wasted" : ", served");
}

std::string costs(const CallRow& call, std::span<const AttemptRow> attempts) {
  NanoDollars cost, wasted;
  bool known = true;
  for (const AttemptRow& attempt : attempts) {
    cost = cost + attempt.cost;
    if (attempt.wasted) wasted = wasted + attempt.cost;
    known = known && attempt.price_known;
  }
  std::string text = fmt::format("${}", dollars_text(cost));
  text += wasted.value == 0 ? ", nothing wasted" : fmt::format(", ${} of it wasted", dollars_text(wasted));
  if (const NanoDollars saved = call.saved.total(); saved.value != 0)
    text += fmt::format(", ${} saved", dollars_text(saved));
  if (!known) text += "; a price is not known, so the cost is more";
  return text;
}

}  // namespace

std::string explain_call(const CallRow& call, std::span<const AttemptRow> attempts) {
  std::string out = fmt::format("call {}\n", call.id.text());
  if (!call.request_id.empty() && call.request_id != call.id.text()) {
    out += line("client's", fmt::format("request id {}", printable(call.request_id, 128)));
  }
  out += line("began", millisecond_text(call.started_unix_ms) + ", took " + duration_text(call.took_us));
  out += line("asked", asked(call));
  if (const std::string who = caller(call); !who.empty()) out += line("by", who);

  std::int64_t tried_us = 0;
  for (const AttemptRow& attempt : attempts) {
    for (const std::int64_t us : attempt.phases_us) tried_us += us;
  }
  // Two attempts at once take less than their sum.
  const std::int64_t whole_us = std::max(call.took_us, tried_us);
  // What weir did before, between and after is not kept apart; it is drawn in front, where the most of it is.
  std::int64_t at_us = std::max<std::int64_t>(call.took_us - tried_us, 0);
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const AttemptRow& attempt = attempts[i];
    const bool last = i + 1 == attempts.size();
    out += fmt::format("\n  attempt {} {}\n", i + 1, target(attempt));
    draw(attempt, at_us, whole_us, out);
    out += fmt::format("    {}\n    {}\n", what_arrived(attempt), usage_text(attempt));
    if (attempt.failure != Failure::none) {
      out += fmt::format("    {}\n", last ? why_not_again(call, attempt) : why_again(attempt, attempts[i + 1]));
    }
  }
  if (!attempts.empty()) out += "\n";
  out += line("ended", how_it_ended(call, attempts));
  out += line("client", what_the_client_got(call));
  out += line("slow", who_was_slow(call, attempts));
  return out + line("cost", costs(call, attempts));
}

std::string explain_calls(const store::LedgerBatch& batch) {
  std::string out;
  for (const CallRow& call : batch.calls) {
    if (!out.empty()) out += "\n";
    out += explain_call(call, batch.attempts_of(call));
  }
  return out;
}

}  // namespace weir::accounting
