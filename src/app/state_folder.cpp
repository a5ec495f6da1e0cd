#include "app/state_folder.hpp"

#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

namespace weir::app {
namespace {

constexpr std::string_view kUsualLedger = "weir.db";

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

}  // namespace

Result<std::filesystem::path> state_folder(const Source& source) {
  if (!source.file.empty()) return std::filesystem::absolute(source.file).lexically_normal().parent_path();
  if (const std::string_view folders = variable("STATE_DIRECTORY"); !folders.empty()) {
    return std::filesystem::path{folders.substr(0, folders.find(':'))};
  }
  if (const std::string_view home = variable("HOME"); !home.empty()) {
    return std::filesystem::path{home} / ".local/state/weir";
  }
  return failure("there is no place for stores.ledger: set STATE_DIRECTORY or HOME, or name one in a settings file");
}

Result<void> make_state_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  if (fs::create_directories(folder, error) && !error) fs::permissions(folder, fs::perms::owner_all, error);
  if (!error) return {};
  return failure(
      fmt::format("stores.ledger: cannot make {}: {}; set STATE_DIRECTORY or stores.ledger to a place that "
                  "weir may write",
                  folder.string(), error.message()));
}

bool is_postgres(std::string_view ledger_place) {
  return ledger_place.starts_with("postgres://") || ledger_place.starts_with("postgresql://");
}

Result<std::string> ledger_place(const Source& source, const std::string& to) {
  if (to == "off" || is_postgres(to)) return to;
  const std::filesystem::path file = to.empty() || to == "file" ? std::string{kUsualLedger} : to;
  if (file.is_absolute()) return file.string();
  const auto folder = state_folder(source);
  if (!folder) return std::unexpected(folder.error());
  return (*folder / file).lexically_normal().string();
}

}  // namespace weir::app
