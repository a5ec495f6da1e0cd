#include "load/result.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process/piece.hpp"

namespace weir::bench {
namespace {

std::string percentiles(std::vector<float>& values) {
  if (values.empty()) return R"({"p50":null,"p99":null,"max":null})";
  std::ranges::sort(values);
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return fmt::format(R"({{"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},"max":{:.1f}}})", at(0.5), at(0.9), at(0.99),
                     values.back());
}

}  // namespace

void Result::fail(std::string_view why) {
  ++errors;
  if (!first_error.empty()) return;
  for (const char c : why.substr(0, 300)) first_error += c == '"' || c == '\\' || c < ' ' ? '\'' : c;
}

std::string Result::json() {
  return fmt::format(
      R"({{"calls":{},"errors":{},"reconnects":{},"seconds":{:.3f},"calls_per_second":{:.0f},"latency_us":{},)"
      R"("first_byte_us":{},"bytes_body":{},"bytes_expected":{},"bytes_lost":{},"first_error":"{}"}})",
      calls, errors, reconnects, seconds, seconds > 0 ? static_cast<double>(calls) / seconds : 0.0,
      percentiles(latency_us), percentiles(first_byte_us), bytes_body, bytes_expected, bytes_lost, first_error);
}

void check_text(std::string_view body, const Options& options, std::uint64_t seed, Result& result) {
  const bool stream = options.mode == Mode::stream;
  const bool anthropic = options.dialect == Dialect::anthropic;
  thread_local std::string expected;
  thread_local std::string got;
  expected.clear();
  got.clear();
  for (int i = 1; i <= (stream ? kStreamPieces : kPlainPieces); ++i) append_piece(expected, seed, i);
  const std::string_view key = anthropic ? R"("text":")" : R"("content":")";
  const std::string_view end = anthropic ? R"("type":"message_stop")" : "data: [DONE]";
  for (auto at = body.find(key); at != std::string_view::npos; at = body.find(key, at)) {
    at += key.size();
    got += body.substr(at, body.find('"', at) - at);  // the mock's text has nothing to escape
    if (!stream) break;
  }
  std::size_t lost = std::max(expected.size(), got.size()) - std::min(expected.size(), got.size());
  for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i) lost += expected[i] != got[i] ? 1 : 0;
  result.bytes_expected += expected.size();
  result.bytes_lost += lost;
  if (lost != 0)
    result.fail(fmt::format("{} of {} text bytes lost", lost, expected.size()));
  else if (stream && body.find(end) == std::string_view::npos)
    result.fail("a stream without its end");
}

}  // namespace weir::bench
