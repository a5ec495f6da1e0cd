#include "store/postgres_connection.hpp"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <initializer_list>

namespace weir::store {
namespace {

/// False when the deadline has passed first.
bool wait_for(int socket, short events, TimePoint deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{socket, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

/// libpq keeps the code of a refused connection to itself, but prints it when it is asked to be verbose, in every
/// language as "FATAL:  28P01: text".
std::string sqlstate_in(std::string_view message) {
  for (std::size_t at = message.find(": "); at != std::string_view::npos; at = message.find(": ", at + 1)) {
    const std::size_t begin = message.find_first_not_of(' ', at + 1);
    if (begin == std::string_view::npos || begin + 6 > message.size() || message[begin + 5] != ':') continue;
    const std::string_view code = message.substr(begin, 5);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    // Every code has a digit; "FATAL" has none.
    if (std::ranges::all_of(code, [&](char c) { return digit(c) || (c >= 'A' && c <= 'Z'); }) &&
        std::ranges::any_of(code, digit)) {
      return std::string(code);
    }
  }
  return {};
}

bool has_class(std::string_view sqlstate, std::initializer_list<std::string_view> classes) {
  return std::ranges::any_of(classes, [&](std::string_view known) { return sqlstate.starts_with(known); });
}

}  // namespace

// Appendix A of PostgreSQL's manual: 22 data exception, 23 constraint, 54 program limit exceeded.
bool PostgresError::rows_refused() const {
  return has_class(sqlstate, {"22", "23", "54"});
}

// 57P01 to 57P05: the server or an administrator ends this session.
bool PostgresError::connection_lost() const {
  return sqlstate.empty() || has_class(sqlstate, {"08", "57P"});
}

// 28 wrong role or password, 3D no such database, 42 no permission or not our tables, 0A not supported.
bool PostgresError::needs_hands() const {
  return needs_password || has_class(sqlstate, {"28", "3D", "42", "0A"});
}

Result<std::string> postgres_place(const PostgresLibrary& library, const std::string& url) {
  char* why = nullptr;
  PQconninfoOption* const options = library.conninfo_parse(url.c_str(), &why);
  if (options == nullptr) {
    // What libpq says quotes the URL, and with it perhaps the password.
    std::free(why);
    return failure(
        "stores.ledger: not a URL that PostgreSQL understands; it looks like "
        "postgres://user:password@host:5432/database, "
        "with special characters of the password written as %XX");
  }
  std::string host = "localhost", port = "5432", database;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr || *option->val == '\0') continue;
    const std::string_view keyword = option->keyword;
    if (keyword == "host" || (keyword == "hostaddr" && host == "localhost")) host = option->val;
    if (keyword == "port") port = option->val;
    if (keyword == "dbname") database = option->val;
  }
  library.conninfo_free(options);
  return database.empty() ? fmt::format("{}:{}", host, port) : fmt::format("{}:{}/{}", host, port, database);
}

PostgresResult<PostgresConnection> PostgresConnection::open(const PostgresLibrary& library, const std::string& url,
                                                            TimePoint deadline) {
  // What the URL says comes later in the list than what is only a fallback.
  const char* const keywords[] = {"fallback_application_name", "tcp_user_timeout", "dbname", "client_encoding",
                                  nullptr};
  const char* const values[] = {"weir", "10000", url.c_str(), "UTF8", nullptr};
  PostgresConnection made(library, library.connect_start(keywords, values, 1));
  PGconn* const raw = made.connection_.get();
  if (raw == nullptr) return std::unexpected(PostgresError{"no memory for a connection", "", false});
  library.set_error_verbosity(raw, PQERRORS_VERBOSE);
  library.set_notice_processor(raw, [](void*, const char*) {}, nullptr);  // else they go to stderr

  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (library.status(raw) != CONNECTION_BAD && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
    if (!wait_for(library.socket(raw), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
      return std::unexpected(PostgresError{"it did not answer a connection in time", "", false});
    }
    state = library.connect_poll(raw);
  }
  if (library.status(raw) != CONNECTION_OK) {
    const std::string_view message = library.error_message(raw);
    return std::unexpected(
        PostgresError{std::string(first_line(message)), sqlstate_in(message), library.needs_password(raw) != 0});
  }
  library.set_error_verbosity(raw, PQERRORS_DEFAULT);
  library.set_nonblocking(raw, 1);
  const char* const encoding = library.parameter_status(raw, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    return std::unexpected(
        PostgresError{"the database's encoding is not UTF8; make one with ENCODING 'UTF8'", "0A000"});
  }
  return made;
}

PostgresError PostgresConnection::lost(std::string_view reason) const {
  const std::string_view said = first_line(library_->error_message(connection_.get()));
  return {std::string(said.empty() ? reason : said), "", false};
}

PostgresResult<PostgresRows> PostgresConnection::ask(const std::string& sql, std::span<const char* const> parameters,
                                                     TimePoint deadline) {
  PGconn* const raw = connection_.get();
  if (library_->send_query_params(raw, sql.c_str(), static_cast<int>(parameters.size()), nullptr, parameters.data(),
                                  nullptr, nullptr, 0) == 0) {
    return std::unexpected(lost("the connection is gone"));
  }
  // The database may speak before it has taken everything (an error, a notice): both directions are served.
  for (int unsent = 1; unsent != 0 || library_->is_busy(raw) != 0;) {
    if (unsent != 0) unsent = library_->flush(raw);
    if (unsent < 0) return std::unexpected(lost("the connection broke"));
    if (unsent == 0 && library_->is_busy(raw) == 0) break;
    const short events = static_cast<short>(POLLIN | (unsent != 0 ? POLLOUT : 0));
    if (!wait_for(library_->socket(raw), events, deadline)) {
      return std::unexpected(PostgresError{"it did not answer a statement in time", "", false});
    }
    if (library_->consume_input(raw) == 0) return std::unexpected(lost("the connection broke"));
  }
  PostgresRows rows(*library_, library_->get_result(raw));
  PGresult* const result = rows.raw();
  const ExecStatusType status = library_->result_status(result);
  PostgresError error;
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    const char* const code = result == nullptr ? nullptr : library_->result_error_field(result, PG_DIAG_SQLSTATE);
    if (code == nullptr) return std::unexpected(lost("the connection broke"));
    error.sqlstate = code;
    // The text of an error about rows may quote them, and they may hold a prompt.
    const char* const text = library_->result_error_field(result, PG_DIAG_MESSAGE_PRIMARY);
    error.message = error.rows_refused() || text == nullptr ? fmt::format("SQLSTATE {}", code) : text;
  }
  // The end of the answer, after which the next statement may be sent; it is on its way already.
  for (;;) {
    while (library_->is_busy(raw) != 0) {
      if (!wait_for(library_->socket(raw), POLLIN, deadline)) {
        return std::unexpected(PostgresError{"it did not finish its answer in time", "", false});
      }
      if (library_->consume_input(raw) == 0) return std::unexpected(lost("the connection broke"));
    }
    PGresult* const more = library_->get_result(raw);
    if (more == nullptr) break;
    library_->clear(more);
  }
  if (!error.sqlstate.empty()) return std::unexpected(std::move(error));
  return rows;
}

}  // namespace weir::store
