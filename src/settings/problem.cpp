#include "settings/problem.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::settings {

std::string to_string(const Problem& problem) {
  auto line = problem.line == 0
                  ? fmt::format("{}: {}", problem.file, problem.message)
                  : fmt::format("{}:{}:{}: {}", problem.file, problem.line, problem.column, problem.message);
  // Keys and values of the file are repeated: they must not steer a terminal or begin a second log line.
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return line;
}

std::string to_string(const std::vector<Problem>& problems) {
  std::string lines;
  for (const auto& problem : problems) lines += to_string(problem) + '\n';
  return lines;
}

}  // namespace weir::settings
