#include "app/load.hpp"

#include <chrono>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "settings/environment.hpp"
#include "settings/load.hpp"
#include "settings/prices.hpp"

namespace weir::app {
namespace {

/// Whether Ollama answers on its usual port: asked once, for a fifth of a second, and only where no file says
/// otherwise.
bool ollama_answers() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(11434);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool answers = false;
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 || errno == EINPROGRESS) {
    pollfd waiting{descriptor, POLLOUT, 0};
    constexpr std::string_view request =
        "GET /api/version HTTP/1.1\r\nHost: 127.0.0.1:11434\r\nConnection: close\r\n\r\n";
    if (poll(&waiting, 1, 200) == 1 && send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      waiting.events = POLLIN;
      char reply[12];
      answers = poll(&waiting, 1, 200) == 1 && recv(descriptor, reply, sizeof reply, 0) == sizeof reply &&
                std::string_view(reply, sizeof reply) == "HTTP/1.1 200";
    }
  }
  close(descriptor);
  return answers;
}

std::vector<providers::ProviderSettings> found_servers() {
  if (!ollama_answers()) return {};
  providers::ProviderSettings ollama;
  ollama.name = "ollama";
  ollama.base_url = "http://127.0.0.1:11434/v1";
  return {ollama};
}

}  // namespace

std::shared_ptr<const catalogue::Catalogue> built_in_catalogue() {
  return std::make_shared<const catalogue::Catalogue>(settings::built_in_prices());
}

Result<settings::Settings> load_settings(const Source& source, const catalogue::Catalogue& catalogue, bool strict) {
  const settings::Environment environment = settings::Environment::of_process();
  if (source.file.empty()) return settings::from_environment(environment, found_servers());
  settings::LoadOptions options;
  options.profile = source.profile;
  options.strict = strict;
  options.catalogue = &catalogue;
  auto loaded = settings::load_file(source.file, environment, options);
  if (loaded) return std::move(*loaded);
  std::string lines;
  for (const settings::Problem& problem : loaded.error()) {
    if (!lines.empty()) lines.push_back('\n');
    lines += to_string(problem);
  }
  return failure(std::move(lines));
}

std::string file_stamp(const std::filesystem::path& file) {
  // By inode too: editors and Kubernetes put another file, or another link's target, in its place.
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return "";
  return fmt::format("{}.{}.{}.{}", status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size);
}

std::vector<std::filesystem::path> watched_files(const Source& source, const settings::Settings& settings) {
  std::vector<std::filesystem::path> files;
  if (!source.file.empty()) files.push_back(source.file);
  for (const net::ListenSettings& listen : settings.listen) {
    if (listen.certificate_file.empty()) continue;
    files.emplace_back(listen.certificate_file);
    files.emplace_back(listen.key_file);
  }
  for (const providers::ProviderSettings& provider : settings.providers) {
    if (!provider.ca_file.empty()) files.emplace_back(provider.ca_file);
  }
  return files;
}

void FileStamps::watch(std::vector<std::filesystem::path> files) {
  stamps_.clear();
  for (auto& file : files) {
    std::string now = file_stamp(file);
    stamps_.emplace(std::move(file), std::move(now));
  }
}

bool FileStamps::changed() {
  bool any = false;
  for (auto& [file, known] : stamps_) {
    std::string now = file_stamp(file);
    if (now == known || now.empty()) continue;  // a file that is away for a moment is being replaced
    known = std::move(now);
    any = true;
  }
  return any;
}

}  // namespace weir::app
