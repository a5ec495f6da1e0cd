#include "store/sqlite_names.hpp"

#include <algorithm>

namespace weir::store::sqlite {
namespace {

constexpr std::size_t kUsersMax = 65'536;  // seen in the hour; beyond, rows are inserted again and ignored

struct Kept {
  Statement& to;
  std::string_view sql;
};

}  // namespace

Result<Names> Names::prepare(Database& database, std::int64_t names_max) {
  Names names;
  names.names_max_ = names_max;
  const Kept all[] = {
      {names.find_name_, "SELECT id FROM names WHERE text = ?"},
      {names.add_name_, "INSERT INTO names(text) VALUES(?) RETURNING id"},
      {names.find_who_,
       "SELECT id FROM who WHERE route = ? AND task = ? AND model = ? AND provider = ? AND key = ? AND grp = ?"},
      {names.add_who_, "INSERT INTO who(route, task, model, provider, key, grp) VALUES(?,?,?,?,?,?) RETURNING id"},
      {names.find_price_,
       "SELECT id FROM prices WHERE input = ? AND output = ? AND cache_read = ? AND cache_write = ?"},
      {names.add_price_, "INSERT INTO prices(input, output, cache_read, cache_write) VALUES(?,?,?,?) RETURNING id"},
      {names.find_target_,
       "SELECT id FROM targets WHERE provider = ? AND model = ? AND reply_model = ? AND key_index = ? AND price = ? "
       "AND price_known = ?"},
      {names.add_target_,
       "INSERT INTO targets(provider, model, reply_model, key_index, price, price_known) VALUES(?,?,?,?,?,?) "
       "RETURNING id"},
      {names.add_user_, "INSERT INTO users(hash, text) VALUES(?,?) ON CONFLICT DO NOTHING"},
      {names.add_user_hour_, "INSERT INTO user_hours(hour, user) VALUES(?,?) ON CONFLICT DO NOTHING"},
  };
  for (const Kept& kept : all) {
    auto statement = database.prepare(kept.sql);
    if (!statement) return std::unexpected(statement.error());
    kept.to = std::move(*statement);
  }
  auto last = database.prepare("SELECT coalesce(max(id), 0) FROM names");
  if (!last) return std::unexpected(last.error());
  if (last->step() == SQLITE_ROW) names.last_name_ = last->number(0);
  last->reset();
  return names;
}

std::int64_t Names::find_or_add(Statement& find, Statement& add, const std::int64_t* values, int count) {
  for (Statement* statement : {&find, &add}) {
    for (int i = 0; i < count; ++i) statement->bind(i, values[i]);
    const int code = statement->step();
    const std::int64_t row = code == SQLITE_ROW ? statement->number(0) : -1;
    statement->reset();
    if (code != SQLITE_DONE) return row;
  }
  return -1;
}

std::int64_t Names::name(std::string_view text) {
  if (const std::int64_t known = names_.find({text}); known != 0) return known;
  constexpr std::string_view other = "other";
  for (Statement* statement : {&find_name_, &add_name_}) {
    if (statement == &add_name_ && last_name_ >= names_max_ && text != other) return name(other);
    statement->bind_text(0, text);
    const int code = statement->step();
    const std::int64_t row = code == SQLITE_ROW ? statement->number(0) : -1;
    statement->reset();
    if (row > 0) names_.add({text}, row);
    last_name_ = std::max(last_name_, row);
    if (code != SQLITE_DONE) return row;
  }
  return -1;
}

std::int64_t Names::who(const CallRow& call, std::string_view model, std::string_view provider) {
  const KnownRows<6>::Views texts{call.route, call.task, model, provider, call.key, call.group};
  if (const std::int64_t known = who_.find(texts); known != 0) return known;
  std::array<std::int64_t, 6> ids{};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i] = name(texts[i]);
    if (ids[i] < 0) return -1;
  }
  const std::int64_t row = find_or_add(find_who_, add_who_, ids.data(), 6);
  if (row > 0) who_.add(texts, row);
  return row;
}

std::int64_t Names::target(const AttemptRow& attempt) {
  const TargetFacts facts = facts_of(attempt);
  const std::string_view bytes{reinterpret_cast<const char*>(&facts), sizeof(facts)};
  const KnownRows<4>::Views texts{attempt.provider, attempt.model, attempt.reply_model, bytes};
  if (const std::int64_t known = targets_.find(texts); known != 0) return known;
  const std::array<std::int64_t, 4> price{facts.input, facts.output, facts.cache_read, facts.cache_write};
  const std::array<std::int64_t, 6> ids{name(attempt.provider),
                                        name(attempt.model),
                                        name(attempt.reply_model),
                                        facts.key_index,
                                        find_or_add(find_price_, add_price_, price.data(), 4),
                                        facts.price_known};
  for (const std::int64_t id : ids) {
    if (id < 0) return -1;
  }
  const std::int64_t row = find_or_add(find_target_, add_target_, ids.data(), 6);
  if (row > 0) targets_.add(texts, row);
  return row;
}

bool Names::note_user(std::int64_t hash, std::string_view text, std::int64_t hour) {
  const std::uint64_t seen = static_cast<std::uint64_t>(hash) ^ static_cast<std::uint64_t>(hour) * 0x9e3779b97f4a7c15U;
  if (users_.contains(seen)) return true;
  if (hash != 0) {
    add_user_.bind(0, hash);
    add_user_.bind_text(1, text);
    if (!add_user_.run()) return false;
  }
  add_user_hour_.bind(0, hour);
  add_user_hour_.bind(1, hash);
  if (!add_user_hour_.run()) return false;
  if (users_.size() >= kUsersMax) users_.clear();
  users_.insert(seen);
  return true;
}

void Names::forget() {
  names_.clear();
  who_.clear();
  targets_.clear();
  users_.clear();
}

}  // namespace weir::store::sqlite
