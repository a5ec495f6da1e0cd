#include "store/postgres_names.hpp"

#include <array>

#include "base/json_writer.hpp"
#include "store/postgres_document.hpp"

namespace weir::store {
namespace {

constexpr std::string_view kOther = "other";

/// An array of texts as JSON, with the same care for odd bytes as the batches'.
std::string json_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (text.find('\0') != std::string::npos) continue;  // the batch has it with U+FFFD; it is not worth a row
    std::string buffer(text.size() * 6 + 16, '\0');      // every byte escaped, or replaced
    JsonWriter writer(buffer.data(), buffer.data() + buffer.size());
    writer.string(text);
    if (out.size() > 1) out += ',';
    out.append(buffer.data(), static_cast<std::size_t>(writer.at() - buffer.data()));
  }
  return out += "]";
}

}  // namespace

std::string_view PostgresNames::booked(std::string_view name) {
  const std::string_view key = name.substr(0, kPostgresLabelBytesMax);
  if (known_.contains(key)) return name;
  if (known_.size() >= names_max_) return kOther;
  known_.emplace(key);
  new_.emplace_back(key);
  return name;
}

PostgresResult<void> PostgresNames::load(PostgresConnection& connection, TimePoint deadline) {
  const auto rows = connection.ask("SELECT name FROM weir_names", deadline);
  if (!rows) return std::unexpected(rows.error());
  for (int row = 0; row < rows->count(); ++row) known_.emplace(rows->text(row, 0));
  return {};
}

PostgresResult<void> PostgresNames::note(PostgresConnection& connection, TimePoint deadline) {
  const std::string names = json_of(new_);
  const std::array parameters{names.c_str()};
  // Sorted, so that two weirs wait for each other and not each for the other.
  const auto noted = connection.ask(
      "INSERT INTO weir_names SELECT DISTINCT value FROM json_array_elements_text($1::json) ORDER BY value "
      "ON CONFLICT DO NOTHING",
      parameters, deadline);
  if (!noted) return std::unexpected(noted.error());
  new_.clear();
  return {};
}

}  // namespace weir::store
