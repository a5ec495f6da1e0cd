#pragma once
#include <cstdint>
#include <string>

#include "store/postgres_connection.hpp"

namespace weir::store {

inline constexpr int kPostgresSchemaVersion = 3;

/// Makes the tables if they are not there, and those of an earlier weir complete; several weirs may do so at once. Also
/// prepares the session.
/// An error with needs_hands() if the tables are of a later weir.
PostgresResult<void> ensure_postgres_schema(PostgresConnection& connection, TimePoint deadline);

/// For readers: the session may not write, and the tables must be there, of this version or an earlier one, which it
/// says.
PostgresResult<std::int64_t> check_postgres_schema(PostgresConnection& connection, TimePoint deadline);

}  // namespace weir::store
