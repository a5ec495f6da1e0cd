#pragma once
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "accounting/settings.hpp"
#include "admin/admin.hpp"
#include "app/blueprint.hpp"
#include "store/ledger.hpp"

namespace weir::app {

/// Answers the admin API's questions to the ledger on a thread of its own: a report over months shall not make health
/// checks wait. Thread: made and asked by the control thread; `done` is called on the desk's.
class LedgerDesk {
 public:
  explicit LedgerDesk(accounting::LedgerSettings ledger) : ledger_(std::move(ledger)) {}
  ~LedgerDesk() { pool_.join(); }

  bool open() const { return ledger_.to != "off"; }
  /// {"calls":[…]} of one id; empty = the ledger has none.
  void find_calls(std::string id, std::function<void(admin::ApiReply)> done);
  void recent_calls(std::function<void(admin::ApiReply)> done);
  void report(std::string query, std::shared_ptr<const Blueprint> blueprint, std::function<void(admin::ApiReply)> done);

 private:
  /// Runs `ask` with an open reader, or says why there is none.
  void with_reader(std::function<admin::ApiReply(store::LedgerReader&)> ask, std::function<void(admin::ApiReply)> done);

  accounting::LedgerSettings ledger_;
  std::unique_ptr<store::LedgerReader> reader_;  // the pool's thread
  boost::asio::thread_pool pool_{1};
};

}  // namespace weir::app
