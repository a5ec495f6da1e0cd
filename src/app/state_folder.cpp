#include "app/state_folder.hpp"

#include <cstdlib>
#include <system_error>

namespace weir::app {

std::filesystem::path state_folder(const Source& source) {
  if (!source.file.empty()) {
    std::error_code ignored;
    return std::filesystem::absolute(source.file, ignored).parent_path();
  }
  // systemd gives a list where a unit names several.
  if (const char* given = std::getenv("STATE_DIRECTORY"); given != nullptr && *given != '\0') {
    const std::string_view list = given;
    return list.substr(0, list.find(':'));
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr && *home != '\0' ? home : "/") / ".local/state/weir";
}

accounting::LedgerSettings ledger_place(const Source& source, accounting::LedgerSettings ledger) {
  const std::filesystem::path folder = state_folder(source);
  ledger.folder = folder.string();
  if (ledger.to.empty()) ledger.to = (folder / "weir.db").string();
  if (source.file.empty() && ledger.to != "off") {
    std::error_code cannot;  // what opens the ledger says why
    if (std::filesystem::create_directories(folder, cannot)) {
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all, cannot);
    }
  }
  return ledger;
}

}  // namespace weir::app
