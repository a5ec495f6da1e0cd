#include "api/client_reply.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <weir/exchange/limits.hpp>
#include "api/stream_words.hpp"
#include "dialects/codecs/codecs.hpp"

namespace weir::api {
namespace {

constexpr std::string_view kJson = "application/json";

bool bodyless(std::uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

std::string_view reason_phrase(std::uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "-";
  }
}

ClientReply::~ClientReply() {
  whole_.clear();
  whole_.shrink_to(4 * limits::stream_read_bytes);
}

std::uint16_t ClientReply::status_for(const Ending& ending) {
  const std::uint16_t fixed = row_of(ending.failure).status;
  if (ending.status != 0) return ending.status;
  return fixed != 0 ? fixed : 400;
}

void ClientReply::begin_head(std::uint16_t status) {
  status_ = status;
  out_.clear();
  out_.reserve(512);
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  out_.append("HTTP/1.1 ").append(digits.data(), end).append(" ").append(reason_phrase(status)).append("\r\n");
}

void ClientReply::add_field(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out_.append(name).append(": ");
  const std::size_t begin = out_.size();
  out_.append(value).append("\r\n");
  // Names of models come from request bodies: what could end the line there must not. First one look without branches.
  unsigned char controls = 0;
  for (const char c : value)
    controls |= static_cast<unsigned char>((static_cast<unsigned char>(c) < 0x20) | (c == 0x7f));
  if (controls == 0) return;
  for (std::size_t i = begin; i < begin + value.size(); ++i) {
    if (static_cast<unsigned char>(out_[i]) < 0x20 || out_[i] == 0x7f) out_[i] = '?';
  }
}

void ClientReply::add_ids() {
  add_field("x-request-id", exchange_.request_id);
  if (exchange_.request.dialect == Dialect::anthropic) add_field("request-id", exchange_.request_id);
}

void ClientReply::add_weir_fields(bool with_target) {
  add_ids();
  if (with_target) {
    add_field("x-weir-model", exchange_.plan.target.model);
    add_field("x-weir-provider", exchange_.plan.target.provider_name);
    if (!exchange_.attempts.empty()) {
      out_.append("x-weir-attempts: ").append(std::to_string(exchange_.attempts.size())).append("\r\n");
    }
  }
  if (exchange_.task != "none") add_field("x-weir-task", exchange_.task);
  add_field("x-weir-dropped", exchange_.dropped);
}

void ClientReply::add_length(std::size_t length) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
  out_.append("Content-Length: ").append(digits.data(), end).append("\r\n");
}

void ClientReply::end_head() {
  const bool old = call_.head().minor_version() == 0;  // HTTP/1.0 closes unless it is told otherwise
  out_.append(!call_.settle_keep_alive() ? "Connection: close\r\n\r\n"
              : old                      ? "Connection: keep-alive\r\n\r\n"
                                         : "\r\n");
}

Flow ClientReply::head(const ReplyHead& head) {
  // Of a further attempt: what the one before had gathered, no client has seen.
  content_.clear();
  held_usage_.clear();
  has_whole_ = false;
  has_head_ = true;
  if (kept_alive_) return Flow::go;  // the client has its head
  event_stream_ = head.event_stream;
  length_ = head.length;
  begin_head(head.status);
  add_field("Content-Type", head.content_type);
  if (event_stream_) out_.append("Cache-Control: no-cache\r\n");
  for (const HeaderField& field : head.passed_on) add_field(field.name, field.value);
  return Flow::go;
}

void ClientReply::keep(std::string_view bytes) {
  if (exchange_.plan.keep_text.count() == 0) return;
  const std::size_t room =
      limits::kept_text_bytes_max - std::min(limits::kept_text_bytes_max, exchange_.kept_reply.size());
  exchange_.kept_reply.append(bytes.substr(0, room));
}

Flow ClientReply::event(std::string_view bytes) {
  keep(bytes);
  if (usage_watch_ != nullptr) usage_watch_->feed(bytes);
  content_.append(bytes);
  return Flow::go;
}

Flow ClientReply::usage_event(std::string_view bytes, std::size_t usage_end) {
  if (!exchange_.request.wants_cost) return event(bytes);
  if (!held_usage_.empty()) content_.insert(held_usage_at_, held_usage_);
  keep(bytes);
  held_usage_ = bytes;
  held_usage_end_ = usage_end;
  held_usage_at_ = content_.size();
  return Flow::go;
}

Flow ClientReply::whole(Buffer&& body) {
  whole_.clear();
  keep(body.view());
  whole_ = std::move(body);  // a swap: the giver gets the last call's memory
  has_whole_ = true;
  return Flow::go;
}

void ClientReply::tell_usage() {
  if (usage_watch_ == nullptr || exchange_.attempts.empty()) return;
  Attempt& attempt = exchange_.attempts.back();
  if (attempt.usage.reported) return;  // the provider read it itself
  attempt.usage = usage_watch_->usage();
  if (attempt.reply_model.empty()) attempt.reply_model = usage_watch_->model();
}

awaitable<Flow> ClientReply::flush() {
  co_return co_await send_all(false) ? Flow::go : Flow::stop;
}

void ClientReply::begin_body(bool with_target) {
  committed_ = true;
  add_weir_fields(with_target);
  const bool silent = bodyless(status_) || call_.head().method() == "HEAD";
  if (length_) {
    add_length(*length_);
  } else if (!silent && call_.head().minor_version() == 1) {
    chunked_ = true;
    out_.append("Transfer-Encoding: chunked\r\n");
  } else if (!silent) {
    call_.close_after();  // HTTP/1.0 knows the end of a stream by the end of the connection
  }
  end_head();
}

awaitable<void> ClientReply::keep_alive() {
  // An answer that is no stream, or has content, speaks for itself.
  if (commenting_ || flushed_ || (has_head_ && !event_stream_)) co_return;
  commenting_ = true;
  if (!committed_) {
    if (!has_head_) {
      begin_head(200);
      add_field("Content-Type", "text/event-stream");
      out_.append("Cache-Control: no-cache\r\n");
      event_stream_ = true;
    }
    kept_alive_ = true;
    begin_body(false);  // which model will answer is not known yet
  }
  const std::string_view words = keep_alive_words(exchange_.request.dialect);
  if (chunked_) {
    std::array<char, 8> size;
    out_.append(size.data(), std::to_chars(size.data(), size.data() + size.size(), words.size(), 16).ptr)
        .append("\r\n");
  }
  out_.append(words).append(chunked_ ? "\r\n" : "");
  const std::string comment = std::exchange(out_, {});
  std::array<net::asio::const_buffer, 1> pieces{net::asio::buffer(comment)};
  co_await call_.send(pieces);
  commenting_ = false;
  commented_.notify();
}

void ClientReply::turn_into_stream() {
  const std::string stream = stream_of(exchange_, whole_.view());
  if (stream.empty()) return;
  content_.append(stream);
  has_whole_ = false;
}

awaitable<bool> ClientReply::send_all(bool last) {
  while (commenting_) co_await commented_.wait();
  const bool silent = bodyless(status_) || call_.head().method() == "HEAD";
  flushed_ = true;
  if (exchange_.first_byte_sent == TimePoint{}) exchange_.first_byte_sent = Clock::now();
  if (!committed_) begin_body(true);
  // What stands before a held usage chunk may go; the chunk and what follows wait for its cost.
  const std::size_t ready = held_usage_.empty() ? content_.size() : held_usage_at_;
  std::array<net::asio::const_buffer, 5> pieces;
  std::size_t count = 0;
  std::array<char, 20> size;
  if (!out_.empty()) pieces[count++] = net::asio::buffer(out_);
  if (ready != 0 && !silent) {
    if (chunked_) {
      char* end = std::to_chars(size.data(), size.data() + 16, ready, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      pieces[count++] = net::asio::buffer(size.data(), static_cast<std::size_t>(end - size.data()));
    }
    pieces[count++] = net::asio::buffer(content_.data(), ready);
  }
  static constexpr std::string_view kChunkEnd = "\r\n";
  static constexpr std::string_view kChunkEndAndLast = "\r\n0\r\n\r\n";
  static constexpr std::string_view kLast = "0\r\n\r\n";
  if (chunked_) {
    const bool content = ready != 0;
    const std::string_view tail = last ? (content ? kChunkEndAndLast : kLast) : (content ? kChunkEnd : "");
    if (!tail.empty()) pieces[count++] = net::asio::buffer(tail);
  }
  if (count == 0) co_return true;
  const bool sent = co_await call_.send(std::span(pieces.data(), count));
  out_.clear();
  content_.erase(0, ready);
  if (!held_usage_.empty()) held_usage_at_ -= ready;
  co_return sent;
}

awaitable<bool> ClientReply::finish() {
  if (has_whole_ && kept_alive_) turn_into_stream();
  if (!has_whole_) {
    if (!held_usage_.empty()) {
      held_usage_.insert(held_usage_end_, ",\"weir\":{\"cost_usd\":" + dollars_text(exchange_.cost) + "}");
      content_.insert(held_usage_at_, held_usage_);
      held_usage_.clear();
    }
    co_return co_await send_all(true);
  }
  committed_ = true;
  add_weir_fields(true);
  if (!exchange_.raw && exchange_.price_known) {
    out_.append("x-weir-cost-usd: ").append(dollars_text(exchange_.cost)).append("\r\n");
    out_.append("x-weir-saved-usd: ").append(dollars_text(exchange_.saved.total())).append("\r\n");
  }
  const bool silent = bodyless(status_);
  if (!silent) add_length(whole_.size());
  end_head();
  std::array<net::asio::const_buffer, 2> pieces{net::asio::buffer(out_), net::asio::buffer(whole_.view())};
  co_return co_await call_.send(std::span(pieces.data(), silent || call_.head().method() == "HEAD" ? 1 : 2));
}

awaitable<bool> ClientReply::finish_with(const Ending& ending) {
  if (ending.failure == Failure::client_left) co_return false;
  const FailureRow& row = row_of(ending.failure);
  if (committed_) {
    call_.close_after();
    if (event_stream_ && !exchange_.raw) {
      held_usage_.clear();
      content_.append(error_words(exchange_, ending));
      co_return co_await send_all(true);
    }
    // A raw answer that breaks off has no room for an error: the missing end of its body is the honest sign.
    content_.clear();
    co_return false;
  }
  const std::uint16_t status = status_for(ending);
  const Dialect dialect = exchange_.request.dialect;
  std::string body = ending.provider_body;
  if (body.empty() || !dialects::reads_error(dialect, body)) {  // of another dialect: said again in the client's
    body = dialects::codec_of(dialect).encode_error(ending, status, exchange_.request_id);
  }
  begin_head(status);
  add_field("Content-Type", kJson);
  add_weir_fields(!exchange_.attempts.empty());
  out_.append("x-weir-failure: ").append(name_of(ending.failure)).append("/");
  out_.append(name_of(ending.phase)).append("\r\n");
  add_field("Retry-After", !ending.retry_after.empty() ? ending.retry_after : row.may_invite_back ? "1" : "");
  if (!row.may_invite_back) out_.append("x-should-retry: false\r\n");
  add_length(body.size());
  end_head();
  std::array<net::asio::const_buffer, 2> pieces{net::asio::buffer(out_), net::asio::buffer(body)};
  co_return co_await call_.send(std::span(pieces.data(), call_.head().method() == "HEAD" ? 1 : 2));
}

awaitable<bool> ClientReply::finish_with_body(std::uint16_t status, std::string_view content_type,
                                              std::string_view body) {
  begin_head(status);
  add_field("Content-Type", content_type);
  add_ids();
  add_length(body.size());
  end_head();
  std::array<net::asio::const_buffer, 2> pieces{net::asio::buffer(out_), net::asio::buffer(body)};
  co_return co_await call_.send(std::span(pieces.data(), call_.head().method() == "HEAD" ? 1 : 2));
}

}  // namespace weir::api
