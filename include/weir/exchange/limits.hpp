#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit that is not a setting, each with its reason. Settings' defaults are in the rooms' settings.hpp.
namespace weir::limits {

inline constexpr std::size_t reply_held_bytes_max =
    16U << 20;  // a reply that is not a stream is held whole to book it first
inline constexpr std::size_t reply_head_bytes_max = 32U << 10;  // a provider's head past this is not HTTP any more
inline constexpr std::size_t sse_event_bytes_max = 4U << 20;    // one event; audio deltas reach hundreds of kB
inline constexpr std::size_t first_content_held_bytes_max = 16U << 10;  // RULINGS 13
inline constexpr std::size_t read_at_once_bytes_max = 256U << 10;  // up to here by the io thread; above, by the pool
inline constexpr std::size_t json_depth_max = 128;
inline constexpr std::size_t model_name_bytes_max = 256;  // becomes a label, a header and a key of what is learned
inline constexpr std::size_t task_name_bytes_max = 64;    // becomes a metric label
inline constexpr std::size_t request_id_bytes_max = 128;
inline constexpr std::size_t provider_message_bytes_max = 500;      // a provider's error text in our own body
inline constexpr std::size_t fetched_images_bytes_max = 16U << 20;  // of one call, in memory beside its body
inline constexpr std::size_t fetched_images_max = 8;                // of one call, one after the other
inline constexpr std::chrono::seconds fetched_images_time{10};      // all of a call's: its client waits for them
inline constexpr std::size_t kept_text_bytes_max = 1U << 20;        // of an answer, where a route says keep_text
inline constexpr std::size_t series_max = 10'000;                   // label floods end in `other`
inline constexpr std::int64_t ledger_names_max = 50'000;  // tasks and models are clients' words; more become `other`
inline constexpr std::size_t recent_calls_max = 1'000;    // kept in memory for /api/calls/{id}
inline constexpr std::size_t plan_places_max =
    32;  // places of one model, and models of one way: looked through per call
inline constexpr std::size_t connection_read_bytes =
    4096;  // what an idle connection keeps ready: 10,000 of them in 200 MB
inline constexpr std::size_t stream_read_bytes = 16U << 10;           // one upstream read of a stream
inline constexpr std::size_t refusal_discard_bytes_max = 256U << 10;  // RULINGS 24
inline constexpr std::chrono::seconds refusal_discard_time{1};
inline constexpr std::chrono::seconds client_write_time{60};  // a client that takes no byte for this long has left
inline constexpr std::size_t requests_header_fields_max = 64;
// Rows that wait for a ledger that cannot be written: a minute or two of a thousand calls a second, then they are
// dropped and counted.
inline constexpr std::size_t ledger_waiting_bytes_max = 64U << 20;
inline constexpr std::size_t ledger_transaction_bytes_max = 1U << 20;  // a thousand calls and more: milliseconds

static_assert(ledger_transaction_bytes_max < ledger_waiting_bytes_max);
static_assert(sse_event_bytes_max < reply_held_bytes_max, "a held reply holds at least one event");
static_assert(first_content_held_bytes_max <= sse_event_bytes_max);

}  // namespace weir::limits
