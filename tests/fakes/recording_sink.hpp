#pragma once
#include <weir/exchange/service.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::fakes {

/// Writes down what a service sent into it, and holds it to the order of ReplySink.
class RecordingSink final : public ReplySink {
 public:
  Flow head(const ReplyHead& head) override {
    EXPECT_EQ(heads, 0U) << "a second head";
    ++heads;
    status = head.status;
    content_type = head.content_type;
    event_stream = head.event_stream;
    length = head.length;
    for (const HeaderField& field : head.passed_on)
      passed_on.append(field.name).append(": ").append(field.value).append("\n");
    return Flow::go;
  }
  Flow event(std::string_view bytes) override {
    EXPECT_EQ(heads, 1U) << "an event before the head";
    body.append(bytes);
    return Flow::go;
  }
  Flow usage_event(std::string_view bytes, std::size_t usage_end) override {
    EXPECT_LT(usage_end, bytes.size());
    if (usage_end < bytes.size()) EXPECT_EQ(bytes[usage_end], '}');
    ++usage_events;
    return event(bytes);
  }
  Flow whole(Buffer&& given) override {
    EXPECT_EQ(heads, 1U) << "a body before the head";
    EXPECT_TRUE(body.empty());
    const Buffer taken = std::move(given);
    body = taken.view();
    is_whole = true;
    return Flow::go;
  }
  awaitable<Flow> flush() override {
    flushed = body.size();
    co_return ++flushes > flushes_max ? Flow::stop : Flow::go;
  }

  std::size_t heads = 0;
  std::uint16_t status = 0;
  std::string content_type;
  std::string passed_on;
  bool event_stream = false;
  std::optional<std::uint64_t> length;
  std::string body;
  std::size_t usage_events = 0;
  bool is_whole = false;
  std::size_t flushes = 0;
  std::size_t flushed = 0;                                 ///< bytes of `body` that had left by the last flush
  std::size_t flushes_max = static_cast<std::size_t>(-1);  ///< the client leaves after so many
};

}  // namespace weir::fakes
