#include "store/postgres_library.hpp"

#include <dlfcn.h>
#include <fmt/core.h>

#include <string>

namespace weir::store {

Result<PostgresLibrary> load_postgres_library(const char* file) {
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    return failure(fmt::format(
        "stores.ledger: PostgreSQL needs {}, which cannot be loaded ({}); install the package libpq5 (Debian, "
        "Ubuntu) or libpq (Fedora, Alpine)",
        file, why == nullptr ? "no reason given" : why));
  }
  PostgresLibrary table;
  std::string missing;
  const auto find = [&]<class Function>(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) missing = name;
  };
  find(table.conninfo_parse, "PQconninfoParse");
  find(table.conninfo_free, "PQconninfoFree");
  find(table.connect_start, "PQconnectStartParams");
  find(table.connect_poll, "PQconnectPoll");
  find(table.finish, "PQfinish");
  find(table.status, "PQstatus");
  find(table.socket, "PQsocket");
  find(table.error_message, "PQerrorMessage");
  find(table.needs_password, "PQconnectionNeedsPassword");
  find(table.parameter_status, "PQparameterStatus");
  find(table.set_error_verbosity, "PQsetErrorVerbosity");
  find(table.set_notice_processor, "PQsetNoticeProcessor");
  find(table.set_nonblocking, "PQsetnonblocking");
  find(table.send_query_params, "PQsendQueryParams");
  find(table.flush, "PQflush");
  find(table.consume_input, "PQconsumeInput");
  find(table.is_busy, "PQisBusy");
  find(table.get_result, "PQgetResult");
  find(table.result_status, "PQresultStatus");
  find(table.result_error_field, "PQresultErrorField");
  find(table.row_count, "PQntuples");
  find(table.value, "PQgetvalue");
  find(table.length, "PQgetlength");
  find(table.clear, "PQclear");
  if (!missing.empty()) {
    return failure(fmt::format("stores.ledger: {} has no function {}: it is not PostgreSQL's client library (libpq5)",
                               file, missing));
  }
  return table;
}

Result<const PostgresLibrary*> postgres_library() {
  // Never unloaded: OpenSSL, which it brings, registers handlers for the end of the process.
  static const Result<PostgresLibrary> library = load_postgres_library("libpq.so.5");
  if (!library) return std::unexpected(library.error());
  return &*library;
}

}  // namespace weir::store
