#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "dialects/json/cursor.hpp"
#include "dialects/vocabulary/codec.hpp"

namespace weir::openai_responses {

/// Reads the events of a response's stream into the vocabulary.
class StreamDecoder final : public vocabulary::StreamDecoder {
 public:
  void feed(std::string_view event, std::string_view data, std::vector<vocabulary::StreamEvent>& into) override;
  bool complete() const override { return finished_; }
  void end(std::vector<vocabulary::StreamEvent>& into) override;
  std::uint64_t unknown_events() const override { return unknown_; }
  std::int64_t next_event() const override { return next_event_; }

 private:
  struct Call {
    std::int64_t output_index = 0;
    bool arguments = false;  ///< some have come
  };
  struct Fields;
  using Events = std::vector<vocabulary::StreamEvent>;
  void act_on(Fields& fields, std::string_view data, Events& into);
  bool read(std::string_view data, Fields& fields);
  bool read_response(json::Cursor& cursor, std::string_view data, Fields& fields);
  bool read_item(json::Cursor& cursor, Fields& fields);
  void start(Fields& fields, Events& into);
  void item_added(Fields& fields, Events& into);
  void item_done(Fields& fields, Events& into);
  void arguments(Fields& fields, Events& into);
  void finish(Fields& fields, Events& into);
  void fail(std::string_view message, Events& into);
  Call* find(std::int64_t output_index);

  std::vector<Call> calls_;
  std::uint64_t unknown_ = 0;
  std::int64_t next_event_ = 0;
  bool started_ = false;
  bool finished_ = false;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace weir::openai_responses
