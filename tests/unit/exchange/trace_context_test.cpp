#include <weir/exchange/trace_context.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace weir {
namespace {

const std::string kGood = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, is_read_and_written_back) {
  const auto trace = parse_traceparent(kGood);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_high, 0x4bf92f3577b34da6U);
  EXPECT_EQ(trace->trace_low, 0xa3ce929d0e0e4736U);
  EXPECT_EQ(trace->parent_span, 0x00f067aa0ba902b7U);
  EXPECT_EQ(trace->span, 0U);
  EXPECT_TRUE(trace->sampled);
  const auto text = traceparent_of(*trace, trace->parent_span);
  EXPECT_EQ(std::string(text.data(), text.size()), kGood);
}

TEST(Traceparent, flags_other_than_sampled_are_ignored) {
  for (const auto& [flags, sampled] : {std::pair{"00", false}, {"02", false}, {"03", true}, {"ff", true}}) {
    const auto trace = parse_traceparent(kGood.substr(0, 53) + flags);
    ASSERT_TRUE(trace) << flags;
    EXPECT_EQ(trace->sampled, sampled) << flags;
  }
}

TEST(Traceparent, later_versions_may_say_more) {
  const std::string later = "cc" + kGood.substr(2);
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-what-the-future-says"));
  EXPECT_FALSE(parse_traceparent(later + "x"));
}

TEST(Traceparent, whatever_is_not_valid_is_ignored) {
  for (const std::string& bad :
       {std::string{}, kGood + "-more", kGood + "0", " " + kGood, kGood + " ", "ff" + kGood.substr(2),
        "0x" + kGood.substr(2), std::string{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"},
        std::string{"00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
        std::string{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
        std::string{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"},
        std::string{"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, kGood + "," + kGood}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(Traceparent, cut_anywhere_it_is_none) {
  for (std::size_t size = 0; size < kGood.size(); ++size) {
    EXPECT_FALSE(parse_traceparent(std::string_view(kGood).substr(0, size))) << size;
  }
}

TEST(Traceparent, any_byte_anywhere_is_refused_or_means_itself) {
  for (std::size_t at = 0; at < kGood.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = kGood;
      changed[at] = static_cast<char>(byte);
      const auto trace = parse_traceparent(changed);
      if (!trace) continue;
      const bool digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || byte == '-';
      ASSERT_TRUE(digit) << at << " " << byte;
      const auto text = traceparent_of(*trace, trace->parent_span);
      EXPECT_EQ(std::string(text.data() + 2, 51), changed.substr(2, 51));
    }
  }
}

TEST(Traceparent, arbitrary_bytes_are_borne) {
  std::mt19937 dice{7};
  const std::string likely = "0123456789abcdef-";
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes(dice() % 80, '\0');
    for (char& c : bytes) c = round % 2 ? static_cast<char>(dice()) : likely[dice() % likely.size()];
    if (round % 4 == 0) bytes.replace(0, std::min<std::size_t>(bytes.size(), 53), kGood, 0, bytes.size());
    if (const auto trace = parse_traceparent(bytes)) EXPECT_GE(bytes.size(), kGood.size());
  }
}

TEST(AttemptSpan, is_its_own_for_each_attempt_of_each_call) {
  std::set<std::uint64_t> seen;
  TraceContext trace;
  trace.sampled = true;
  for (std::uint64_t call = 0; call < 1000; ++call) {
    trace.span = scattered(call);
    EXPECT_TRUE(seen.insert(trace.span).second);
    for (std::size_t number = 1; number <= 4; ++number) EXPECT_TRUE(seen.insert(attempt_span(trace, number)).second);
  }
  EXPECT_FALSE(seen.contains(0));
  trace.sampled = false;
  EXPECT_EQ(attempt_span(trace, 1), 0U);
}

}  // namespace
}  // namespace weir
