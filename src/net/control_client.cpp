#include "net/control_client.hpp"

#include <fmt/format.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "net/asio_types.hpp"

namespace weir::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using TcpStream = beast::basic_stream<Tcp, Executor>;

constexpr std::uint32_t kAnswerHeadBytesMax = 16U << 10;

/// One post from look-up to answer. Lives on the caller's stack; `io` is its own, so that leaving it ends everything.
class Post {
 public:
  Post(const http::request<http::string_body>& request, std::string_view host, std::string_view port, TlsContext* tls,
       std::chrono::milliseconds timeout)
      : request_(request), host_(host), port_(port), tls_(tls), until_(Clock::now() + timeout) {}

  void run() {
    asio::co_spawn(io_, go(), [](const std::exception_ptr& bug) {
      if (bug) std::rethrow_exception(bug);
    });
    io_.run();
  }

  ErrorCode error;
  const char* step = "looking up";
  ControlAnswer answer;

 private:
  using Resolver = asio::ip::basic_resolver<Tcp, Executor>;

  awaitable<void> go() {
    Resolver resolver(io_);
    Timer too_long(io_, until_);
    too_long.async_wait([&resolver](ErrorCode cancelled) {
      if (!cancelled) resolver.cancel();
    });
    auto [unknown, found] = co_await resolver.async_resolve(host_, port_, as_value);
    too_long.cancel();
    if (unknown) {
      error = unknown;
      co_return;
    }
    step = "connecting to";
    TcpStream tcp(io_);
    tcp.expires_at(until_);  // holds for all that follows
    auto [refused, endpoint] = co_await tcp.async_connect(found, as_value);
    if (refused) {
      error = refused;
      co_return;
    }
    if (tls_ == nullptr) {
      co_await exchange(tcp);
    } else {
      co_await exchange_by_tls(std::move(tcp));
    }
  }

  awaitable<void> exchange_by_tls(TcpStream tcp) {
    beast::ssl_stream<TcpStream> stream(std::move(tcp), *tls_);
    ErrorCode not_an_address;
    asio::ip::make_address(host_, not_an_address);
    if (not_an_address) SSL_set_tlsext_host_name(stream.native_handle(), host_.c_str());  // SNI takes names only
    stream.set_verify_callback(asio::ssl::host_name_verification(host_));
    step = "TLS with";
    auto [untrusted] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_value);
    if (untrusted) {
      error = untrusted;
      co_return;
    }
    co_await exchange(stream);
  }

  template <class Stream>
  awaitable<void> exchange(Stream& stream) {
    step = "sending to";
    auto [unsent, sent] = co_await http::async_write(stream, request_, as_value);
    if (unsent) {
      error = unsent;
      co_return;
    }
    step = "reading the answer of";
    http::response_parser<http::string_body> parser;
    parser.header_limit(kAnswerHeadBytesMax);
    parser.body_limit(ControlClient::answer_bytes_max);
    beast::flat_buffer buffer;
    auto [broken, read] = co_await http::async_read(stream, buffer, parser, as_value);
    if (broken && !(broken == http::error::body_limit && parser.is_header_done())) {
      error = broken;
      co_return;
    }
    answer.status = parser.get().result_int();
    answer.retry_after = parser.get()[http::field::retry_after];
    if (!broken) answer.body = std::move(parser.get().body());
  }

  asio::io_context io_{1};
  const http::request<http::string_body>& request_;
  const std::string host_;
  const std::string port_;
  TlsContext* const tls_;
  const TimePoint until_;
};

}  // namespace

Result<ControlClient> ControlClient::make(std::string_view url, Headers headers, const std::string& ca_file) {
  ControlClient client;
  const bool secure = url.starts_with("https://");
  if (!secure && !url.starts_with("http://")) return failure("must begin with http:// or https://");
  url.remove_prefix(secure ? 8 : 7);
  const std::string_view authority = url.substr(0, url.find('/'));
  client.authority_ = authority;
  client.target_ = authority.size() < url.size() ? url.substr(authority.size()) : "/";
  client.port_ = secure ? "443" : "80";
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  std::string_view host = authority;
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    client.port_ = authority.substr(colon + 1);
    host = authority.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) return failure("names no host");
  client.host_ = host;
  client.headers_ = std::move(headers);
  if (secure) {
    auto tls = make_client_tls(ca_file, true);
    if (!tls) return std::unexpected(tls.error());
    client.tls_ = std::move(*tls);
  }
  return client;
}

Result<ControlAnswer> ControlClient::post(std::string_view body, std::string_view content_type,
                                          std::chrono::milliseconds timeout) const {
  http::request<http::string_body> request(http::verb::post, target_, 11);
  request.set(http::field::host, authority_);
  request.set(http::field::user_agent, "weir/" WEIR_VERSION);
  request.set(http::field::connection, "close");
  for (const auto& [name, value] : headers_) request.set(name, value);
  request.set(http::field::content_type, std::string{content_type});
  request.body() = body;
  request.prepare_payload();
  Post post(request, host_, port_, tls_.get(), timeout);
  try {
    post.run();
  } catch (const std::exception& bug) {  // out of memory, out of descriptors
    return failure(fmt::format("{} {}: {}", post.step, authority_, bug.what()));
  }
  if (post.error == beast::error::timeout || post.error == asio::error::operation_aborted) {
    return failure(fmt::format("{} {}: no answer within {} ms", post.step, authority_, timeout.count()));
  }
  if (post.error) return failure(fmt::format("{} {}: {}", post.step, authority_, post.error.message()));
  return std::move(post.answer);
}

}  // namespace weir::net
