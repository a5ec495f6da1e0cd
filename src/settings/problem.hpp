#pragma once
#include <string>
#include <vector>

namespace weir::settings {

/// One thing to change in a settings file: it names the place and what to write instead. Never holds a secret: values
/// of secret settings and whatever came out of a `${…}` are left out.
struct Problem {
  std::string file;
  int line = 0;    ///< from 1; 0 = the file as a whole
  int column = 0;  ///< from 1
  std::string message;
  bool operator==(const Problem&) const = default;
};

/// `weir.yaml:12:5: unknown key "modle". Did you mean "model"?`
std::string to_string(const Problem& problem);

/// One line each, in the order of the file.
std::string to_string(const std::vector<Problem>& problems);

}  // namespace weir::settings
