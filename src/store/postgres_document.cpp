#include "store/postgres_document.hpp"

#include <algorithm>
#include <cstring>

#include "base/json_writer.hpp"
#include "store/postgres_names.hpp"

namespace weir::store {
namespace {

constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
// Kept from batch to batch; one with long texts gives its memory back.
constexpr std::size_t kKeepBytesMax = 4U << 20;

/// Fields of one JSON object, each with its comma.
class Fields {
 public:
  Fields(JsonWriter& out, std::string& without_nul, PostgresNames& names)
      : out_(out), without_nul_(without_nul), names_(names) {}

  void label(std::string_view key, std::string_view value) {
    if (!value.empty()) text(key, names_.booked(value), kPostgresLabelBytesMax);
  }

  void text(std::string_view key, std::string_view value, std::size_t bytes_max = kWhole) {
    if (value.empty()) return;
    out_.raw(key);
    if (std::memchr(value.data(), '\0', value.size()) != nullptr) value = replace_nul(value);
    out_.string(value, bytes_max);
  }
  /// A name of ours, which needs no care.
  void name(std::string_view key, std::string_view value) {
    out_.raw(key);
    out_.raw(value);
    out_.raw("\"");
  }
  void number(std::string_view key, std::int64_t value, std::int64_t usual = 0) {
    if (value == usual) return;
    out_.raw(key);
    out_.number(value);
  }
  void flag(std::string_view whole, bool value) {
    if (value) out_.raw(whole);
  }

 private:
  // PostgreSQL has no NUL in its texts: the one character of UTF-8 that it refuses.
  std::string_view replace_nul(std::string_view value) {
    without_nul_.clear();
    for (const char c : value) {
      if (c == '\0') {
        without_nul_ += "\xEF\xBF\xBD";
      } else {
        without_nul_ += c;
      }
    }
    return without_nul_;
  }

  JsonWriter& out_;
  std::string& without_nul_;
  PostgresNames& names_;
};

void write_attempt(JsonWriter& out, Fields& fields, const AttemptRow& attempt, std::size_t number, bool last) {
  out.raw(R"({"n":)");
  out.number(static_cast<std::int64_t>(number));
  fields.flag(R"(,"l":true)", last);
  fields.label(R"(,"p":)", attempt.provider);
  fields.label(R"(,"m":)", attempt.model);
  fields.label(R"(,"rm":)", attempt.reply_model);
  fields.text(R"(,"q":)", attempt.provider_request_id);
  fields.number(R"(,"k":)", attempt.key_index);
  std::size_t phases = attempt.phases_us.size();
  while (phases > 0 && attempt.phases_us[phases - 1] == 0) --phases;
  if (phases > 0) {
    for (std::size_t i = 0; i < phases; ++i) {
      out.raw(i == 0 ? R"(,"us":[)" : ",");
      out.number(attempt.phases_us[i]);
    }
    out.raw("]");
  }
  if (attempt.failure != Failure::none) fields.name(R"(,"e":")", name_of(attempt.failure));
  if (attempt.phase != Phase::none) fields.name(R"(,"ph":")", name_of(attempt.phase));
  fields.number(R"(,"s":)", attempt.status);
  fields.number(R"(,"u":)", attempt.usage.uncached);
  fields.number(R"(,"cr":)", attempt.usage.cache_read);
  fields.number(R"(,"cw":)", attempt.usage.cache_write);
  fields.number(R"(,"o":)", attempt.usage.output);
  fields.number(R"(,"r":)", attempt.usage.reasoning);
  fields.flag(R"(,"re":true)", attempt.usage.reported);
  fields.flag(R"(,"es":true)", attempt.usage.estimated);
  fields.number(R"(,"c":)", attempt.cost.value);
  fields.number(R"(,"pi":)", attempt.price.input.value);
  fields.number(R"(,"po":)", attempt.price.output.value);
  fields.number(R"(,"pr":)", attempt.price.cache_read.value);
  fields.number(R"(,"pw":)", attempt.price.cache_write.value);
  fields.flag(R"(,"pk":true)", attempt.price_known);
  fields.flag(R"(,"w":true)", attempt.wasted);
  fields.flag(R"(,"mb":true)", attempt.may_have_been_billed);
  fields.flag(R"(,"rc":true)", attempt.reused_connection);
  out.raw("}");
}

void write_savings(JsonWriter& out, Fields& fields, const Savings& saved) {
  std::string_view before = R"(,"sv":{")";
  for (std::size_t i = 0; i < saved.by.size(); ++i) {
    if (saved.by[i].value == 0) continue;
    out.raw(before);
    fields.name("", name_of(static_cast<SavingCause>(i)));
    out.raw(":");
    out.number(saved.by[i].value);
    before = R"(,")";
  }
  if (before.size() == 2) out.raw("}");
}

}  // namespace

std::string_view PostgresDocument::write(const LedgerBatch& batch) {
  if (bytes_.size() > kKeepBytesMax) std::string().swap(bytes_);
  used_ = 0;
  std::string_view before = "[\n";
  for (const CallRow& call : batch.calls) {
    write_call(batch, call, before);
    before = ",\n";
  }
  if (batch.calls.empty()) return "[\n]";
  if (bytes_.size() < used_ + 3) bytes_.resize(used_ + 3);
  std::memcpy(bytes_.data() + used_, "\n]", 3);  // libpq wants the NUL behind it
  return {bytes_.data(), used_ + 2};
}

void PostgresDocument::write_call(const LedgerBatch& batch, const CallRow& call, std::string_view before) {
  for (;;) {
    JsonWriter out(bytes_.data() + used_, bytes_.data() + bytes_.size());
    Fields fields(out, without_nul_, names_);
    out.raw(before);
    out.raw(R"({"id":)");
    std::string_view id = call.id.text();
    out.string(id.front() == '\0' ? std::string_view("none") : id);
    fields.text(R"(,"q":)", call.request_id);
    fields.number(R"(,"t":)", call.started_unix_ms);
    fields.number(R"(,"d":)", call.took_us);
    fields.number(R"(,"f":)", call.first_byte_us, -1);
    fields.label(R"(,"ro":)", call.route);
    fields.label(R"(,"ta":)", call.task);
    fields.label(R"(,"m":)", call.model);
    fields.label(R"(,"p":)", call.provider);
    fields.label(R"(,"k":)", call.key);
    fields.label(R"(,"g":)", call.group);
    fields.text(R"(,"u":)", call.user);
    fields.text(R"(,"x":)", call.tags);
    if (call.outcome != Outcome::ok) fields.name(R"(,"o":")", name_of(call.outcome));
    if (call.failure != Failure::none) fields.name(R"(,"e":")", name_of(call.failure));
    if (call.phase != Phase::none) fields.name(R"(,"ph":")", name_of(call.phase));
    fields.number(R"(,"s":)", call.status);
    fields.flag(R"(,"st":true)", call.stream);
    fields.flag(R"(,"ra":true)", call.raw);
    fields.flag(R"(,"rk":true)", call.reask);
    fields.number(R"(,"cr":)", call.client_retry);
    fields.number(R"(,"ms":)", call.messages);
    fields.number(R"(,"pb":)", static_cast<std::int64_t>(call.prompt_bytes));
    fields.number(R"(,"sh":)", static_cast<std::int64_t>(call.system_hash));
    fields.number(R"(,"pr":)", static_cast<std::int64_t>(call.prompt_hash));
    write_savings(out, fields, call.saved);
    if (call.text_until_unix_ms != 0) {
      fields.number(R"(,"tu":)", call.text_until_unix_ms);
      fields.text(R"(,"qt":)", call.request_text);
      fields.text(R"(,"rt":)", call.reply_text);
    }
    const std::span<const AttemptRow> attempts = batch.attempts_of(call);
    fields.flag(R"(,"pu":true)", !std::ranges::all_of(attempts, &AttemptRow::price_known));
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      out.raw(i == 0 ? R"(,"a":[)" : ",");
      write_attempt(out, fields, attempts[i], i, i + 1 == attempts.size());
    }
    out.raw(attempts.empty() ? "}" : "]}");
    if (!out.overflowed()) {
      used_ = static_cast<std::size_t>(out.at() - bytes_.data());
      return;
    }
    bytes_.resize(std::max<std::size_t>(bytes_.size() * 2, 64U << 10));
  }
}

std::vector<std::string_view> postgres_calls_of(std::string_view document) {
  std::vector<std::string_view> calls;
  // Between "[\n" and "\n]".
  std::string_view rest = document.size() < 4 ? std::string_view() : document.substr(2, document.size() - 4);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(",\n"), rest.size());
    calls.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 2));
  }
  return calls;
}

std::string postgres_document_of(std::span<const std::string_view> calls) {
  std::string document;
  std::string_view before = "[\n";
  for (const std::string_view call : calls) {
    document.append(before).append(call);
    before = ",\n";
  }
  return document += calls.empty() ? "[\n]" : "\n]";
}

}  // namespace weir::store
