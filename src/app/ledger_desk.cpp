#include "app/ledger_desk.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include <weir/base/clock.hpp>
#include "accounting/calls_json.hpp"
#include "accounting/report_body.hpp"
#include "app/todays_prices.hpp"

namespace weir::app {
namespace {

constexpr std::size_t kCallsMax = 100;
constexpr std::int64_t kRequestIdsMs = std::int64_t{7} * 86'400'000;  // how far back a client's own ids are looked for

}  // namespace

void LedgerDesk::with_reader(std::function<admin::ApiReply(store::LedgerReader&)> ask,
                             std::function<void(admin::ApiReply)> done) {
  boost::asio::post(pool_, [this, ask = std::move(ask), done = std::move(done)] {
    if (reader_ == nullptr) {
      const bool postgres = ledger_.to.starts_with("postgres");
      auto opened = postgres ? store::open_postgres_reader(ledger_.to) : store::open_sqlite_reader(ledger_.to);
      if (!opened) return done(admin::api_error(503, opened.error().message));
      reader_ = std::move(*opened);
    }
    done(ask(*reader_));
  });
}

void LedgerDesk::find_calls(std::string id, std::function<void(admin::ApiReply)> done) {
  with_reader(
      [id = std::move(id)](store::LedgerReader& reader) -> admin::ApiReply {
        const auto found = reader.find_calls(id, unix_milliseconds() - kRequestIdsMs, kCallsMax);
        if (!found) return admin::api_error(503, found.error().message);
        return admin::api_body(accounting::calls_json(*found));
      },
      std::move(done));
}

void LedgerDesk::recent_calls(std::function<void(admin::ApiReply)> done) {
  with_reader(
      [](store::LedgerReader& reader) -> admin::ApiReply {
        const auto found = reader.recent_calls(kCallsMax);
        if (!found) return admin::api_error(503, found.error().message);
        return admin::api_body(accounting::calls_json(*found));
      },
      std::move(done));
}

void LedgerDesk::report(std::string query, std::shared_ptr<const Blueprint> blueprint,
                        std::function<void(admin::ApiReply)> done) {
  with_reader(
      [query = std::move(query), blueprint = std::move(blueprint)](store::LedgerReader& reader) -> admin::ApiReply {
        const TodaysPrices prices(blueprint->settings, blueprint->catalogue);
        const auto price_of = [&](std::string_view model, std::string_view provider, std::string_view reply_model) {
          return prices.price_of(model, provider, reply_model);
        };
        auto report = accounting::report_body(query, reader, unix_milliseconds(), price_of);
        admin::ApiReply reply;
        reply.status = report.status;
        reply.body = std::move(report.body);
        reply.content_type = report.content_type;
        return reply;
      },
      std::move(done));
}

}  // namespace weir::app
