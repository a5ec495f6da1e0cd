#pragma once
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include <weir/base/random.hpp>
#include "store/ledger.hpp"

namespace weir::fakes {

/// A folder that goes with its files.
class Folder {
 public:
  Folder() {
    std::string made = (std::filesystem::temp_directory_path() / "weir-ledger-XXXXXX").string();
    path_ = ::mkdtemp(made.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name = "ledger.db") const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Rows in which every field varies, the recurring ones over few values. The dice decide, so a seed repeats them.
class LedgerRows {
 public:
  explicit LedgerRows(std::uint64_t seed) : random_(seed) {}

  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(end));
  }

  void add_call(store::LedgerBatch& batch, std::int64_t started_unix_ms) {
    static constexpr std::array names{"alpha", "beta", "gamma", "delta", "none"};
    const auto name = [&](const char* kind) {
      return batch.keep(std::string(kind) + names[static_cast<std::size_t>(below(5))]);
    };
    store::CallRow call;
    call.id = CallId::make(started_unix_ms, random_);
    call.started_unix_ms = started_unix_ms;
    if (below(3) == 0) call.request_id = batch.keep("client-" + std::to_string(random_.next()));
    call.took_us = below(100'000'000);
    call.first_byte_us = below(4) == 0 ? -1 : below(1'000'000);
    call.route = name("route-");
    call.task = name("task-");
    call.model = name("model-");
    call.provider = name("provider-");
    call.key = name("key-");
    call.group = name("group-");
    if (below(3) != 0) call.user = batch.keep("user-" + std::to_string(below(50)));
    if (below(2) != 0)
      call.tags = batch.keep("team=t" + std::to_string(below(4)) + ",region=r" + std::to_string(below(3)));
    call.outcome =
        below(3) != 0 ? Outcome::ok : static_cast<Outcome>(below(static_cast<std::int64_t>(Outcome::count_)));
    call.failure = call.outcome == Outcome::ok ? Failure::none : failure();
    call.phase = static_cast<Phase>(below(static_cast<std::int64_t>(Phase::count_)));
    call.status = static_cast<std::uint16_t>(below(65'536));
    call.stream = below(2) != 0;
    call.raw = below(2) != 0;
    call.client_retry = static_cast<std::uint32_t>(below(3));
    call.reask = below(4) == 0;
    call.messages = static_cast<std::uint32_t>(below(40));
    call.prompt_bytes = static_cast<std::uint64_t>(below(1'000'000));
    call.system_hash = below(2) != 0 ? random_.next() : 0;
    call.prompt_hash = random_.next();
    for (NanoDollars& part : call.saved.by) part = {below(3) == 0 ? below(2'000'000) - 1'000'000 : 0};
    call.first_attempt = static_cast<std::uint32_t>(batch.attempts.size());
    call.attempts = static_cast<std::uint32_t>(below(8) < 6 ? 1 : below(4));
    for (std::uint32_t i = 0; i < call.attempts; ++i) add_attempt(batch, name("provider-"), name("model-"));
    if (below(10) == 0) {
      call.request_text = batch.keep("what was asked " + std::to_string(random_.next()));
      call.reply_text = batch.keep(std::string(static_cast<std::size_t>(below(9'000)), 'r'));
      call.text_until_unix_ms = started_unix_ms + 1 + below(1'000'000);
    }
    batch.calls.push_back(call);
  }

 private:
  Failure failure() { return static_cast<Failure>(below(static_cast<std::int64_t>(Failure::count_))); }

  void add_attempt(store::LedgerBatch& batch, std::string_view provider, std::string_view model) {
    store::AttemptRow& row = batch.attempts.emplace_back();
    row.provider = provider;
    row.model = model;
    if (below(2) != 0) row.reply_model = batch.keep(std::string(model) + "-2026");
    if (below(2) != 0) row.provider_request_id = batch.keep("req_" + std::to_string(random_.next()));
    row.key_index = static_cast<std::uint32_t>(below(3));
    for (std::int64_t& phase : row.phases_us) phase = below(3) == 0 ? 0 : below(100'000'000);
    row.failure = below(4) != 0 ? Failure::none : failure();
    row.phase = static_cast<Phase>(below(static_cast<std::int64_t>(Phase::count_)));
    row.status = static_cast<std::uint16_t>(below(65'536));
    row.usage = {below(5'000), below(5'000), below(500), 0, below(300), below(2) != 0, below(2) != 0};
    row.usage.output = row.usage.reasoning + below(1'000);
    row.price_known = below(4) != 0;
    if (row.price_known) row.price = {{150'000'000 * (1 + below(2))}, {600'000'000}, {75'000'000}, {0}};
    row.cost = {row.price_known ? below(1'000'000'000) : 0};
    row.wasted = below(4) == 0;
    row.may_have_been_billed = below(2) != 0;
    row.reused_connection = below(2) != 0;
  }

  Random random_;
};

}  // namespace weir::fakes
