#include "settings/environment.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

namespace weir::settings {
namespace {

constexpr std::size_t kFileBytes = 1U << 20;

Result<std::string> read_whole(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return failure("cannot be read: it is a folder");
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  if (!file) return failure(std::string{"cannot be read: "} + std::strerror(errno));
  std::string text(kFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return failure(std::string{"cannot be read: "} + std::strerror(errno));
  if (text.size() > kFileBytes) return failure("is larger than 1 MiB");
  return text;
}

}  // namespace

Environment Environment::of_process() {
  return {
      .variable = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string{name}.c_str());
        return value ? std::optional<std::string>{value} : std::nullopt;
      },
      .read_file = read_whole,
  };
}

}  // namespace weir::settings
