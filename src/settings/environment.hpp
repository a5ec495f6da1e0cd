#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <weir/base/result.hpp>

namespace weir::settings {

/// What settings may ask of the world: variables for `${NAME}`, files for `${file:/path}` and the settings file itself.
/// Passed in, so that tests and the fuzzer bring their own.
struct Environment {
  std::function<std::optional<std::string>(std::string_view name)> variable;
  std::function<Result<std::string>(const std::filesystem::path& path)> read_file;

  /// getenv and the file system; a file may have at most 1 MiB.
  static Environment of_process();
};

}  // namespace weir::settings
