#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <weir/base/result.hpp>
#include "catalogue/catalogue.hpp"
#include "settings/settings.hpp"

namespace weir::app {

/// Where the settings come from.
struct Source {
  std::filesystem::path file;  ///< empty = the environment
  std::string profile;
};

std::shared_ptr<const catalogue::Catalogue> built_in_catalogue();

/// The settings as they are now; the error holds one line per problem.
Result<settings::Settings> load_settings(const Source& source, const catalogue::Catalogue& catalogue, bool strict);

/// Which file stands at a path, and when it was written; empty = none.
std::string file_stamp(const std::filesystem::path& file);

/// The settings' file, certificates, keys and authorities: a change of one of them is a reload.
std::vector<std::filesystem::path> watched_files(const Source& source, const settings::Settings& settings);

/// When files were last written, to see that one changed: the settings, certificates and keys.
class FileStamps {
 public:
  void watch(std::vector<std::filesystem::path> files);
  /// Whether a file was written since watch() or the last call.
  bool changed();

 private:
  std::map<std::filesystem::path, std::string> stamps_;
};

}  // namespace weir::app
