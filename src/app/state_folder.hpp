#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>
#include "app/load.hpp"

namespace weir::app {

/// Where relative paths of stores begin (RULINGS 19): the settings file's folder; without a file $STATE_DIRECTORY (the
/// first of several, as systemd writes them), else ~/.local/state/weir. The error says what to set.
Result<std::filesystem::path> state_folder(const Source& source);

/// Makes it, for its owner alone (0700), where it is not there. Only who writes calls this; the error names
/// `stores.ledger`.
Result<void> make_state_folder(const std::filesystem::path& folder);

bool is_postgres(std::string_view ledger_place);

/// The ledger's place, ready for the store: "off", postgres://…, or the path of a SQLite file. `to` is what
/// `stores.ledger` says; empty or "file" = the usual weir.db.
Result<std::string> ledger_place(const Source& source, const std::string& to);

}  // namespace weir::app
