#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/exchange/exchange.hpp>
#include <weir/exchange/limits.hpp>

namespace weir::telemetry {

/// The last calls of one worker, for GET /api/calls/{id}. Records are reused: once the ring has gone round, and texts
/// have found their size, keeping a call allocates nothing.
///
/// Thread: the worker's.
class RecentCalls {
 public:
  explicit RecentCalls(std::size_t calls_max = limits::recent_calls_max) : calls_max_(calls_max) {}

  void add(const Exchange& exchange);

  /// The calls whose own id or whose client's request id is `id`, newest first, each as a JSON object (RULINGS 20).
  std::vector<std::string> find(std::string_view id) const;

 private:
  struct Piece {
    std::uint32_t begin = 0;  ///< into Record::text
    std::uint32_t size = 0;
  };
  struct AttemptRecord {
    Piece provider, model, provider_request_id;
    std::array<Duration, static_cast<std::size_t>(Phase::count_)> phases{};
    Failure failure = Failure::none;
    Phase phase = Phase::none;
    std::uint16_t status = 0;
    std::uint32_t key_index = 0;
    bool may_have_been_billed = false;
    bool wasted = false;
    Usage usage;
    NanoDollars cost;
  };
  struct Record {
    CallId id;
    std::int64_t started_unix_ms = 0;
    Piece request_id, task, route, model, provider;
    Outcome outcome = Outcome::ok;
    Failure failure = Failure::none;
    Phase phase = Phase::none;
    Usage usage;
    NanoDollars cost;
    std::vector<AttemptRecord> attempts;
    std::string text;  ///< all texts, one after the other

    Piece keep(std::string_view from);
    std::string_view at(Piece piece) const { return std::string_view{text}.substr(piece.begin, piece.size); }
  };

  static std::string json_of(const Record& record);

  std::size_t calls_max_;
  std::vector<Record> ring_;
  std::size_t next_ = 0;
};

}  // namespace weir::telemetry
