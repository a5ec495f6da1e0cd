#include "net/listener.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include <weir/base/log.hpp>
#include "net/listening_socket.hpp"
#include "net/port_owner.hpp"

namespace weir::net {
namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"
    "x-weir-failure: gateway.busy/none\r\nContent-Length: 148\r\n\r\n"
    "{\"error\":{\"message\":\"weir holds as many connections as limits.connections allows; try again\",\"type\":"
    "\"api_error\",\"param\":null,\"code\":\"gateway_busy\"}}";

}  // namespace

Listener::Listener(const ListenSettings& settings, std::vector<Dealt> dealt, std::atomic<std::size_t>& connections)
    : settings_(settings),
      dealt_(std::move(dealt)),
      connections_(connections),
      acceptor_(dealt_.front().worker->executor()) {}

Result<std::unique_ptr<Listener>> Listener::open(const ListenSettings& settings, std::vector<Dealt> dealt,
                                                 std::atomic<std::size_t>& connections, int inherited) {
  ErrorCode error;
  const auto address = asio::ip::make_address(settings.host == "localhost" ? "127.0.0.1" : settings.host, error);
  if (error)
    return failure(fmt::format("listen: {} is not an address; write 127.0.0.1, 0.0.0.0 or ::1", settings.host));
  std::unique_ptr<Listener> listener(new Listener(settings, std::move(dealt), connections));
  const Tcp::endpoint endpoint(address, settings.port);
  open_listening(listener->acceptor_, endpoint, 4096, inherited, error);
  if (error == asio::error::address_in_use) {
    const std::string owner = describe_port_owner(settings.port);
    return failure(fmt::format("port {} on {} is in use{}{}; end that process or set listen: to another port",
                               settings.port, settings.host, owner.empty() ? "" : " by ", owner));
  }
  if (error)
    return failure(fmt::format("listen: cannot listen on {}:{}: {}", settings.host, settings.port, error.message()));
  listener->port_ = listener->acceptor_.local_endpoint(error).port();
  listener->descriptor_ = listener->acceptor_.native_handle();
  return listener;
}

void Listener::start(std::size_t connections_max) {
  set_connections_max(connections_max);
  accepting_ = true;
  dealt_.front().worker->spawn("accept", accept());
}

void Listener::set_tls(std::shared_ptr<TlsContext> tls) {
  tls_.with([&](auto& current) { current = std::move(tls); });
}

void Listener::stop() {
  asio::post(acceptor_.get_executor(), [this] { stop_listening(acceptor_); });
}

awaitable<void> Listener::accept() {
  co_await accept_until_stopped();
  accepting_ = false;
}

awaitable<void> Listener::accept_until_stopped() {
  Timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    const Dealt dealt = dealt_[next_++ % dealt_.size()];
    Socket socket(dealt.worker->executor());
    auto [error] = co_await acceptor_.async_accept(socket, as_value);
    if (error) {
      if (!acceptor_.is_open()) co_return;
      // Out of descriptors or memory: those that are here go on, and the next ones wait in the kernel's queue.
      if (error != asio::error::connection_aborted) {
        log::warning("cannot accept a connection: {}; raise the limit of open files", error.message());
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(as_value);
      }
      continue;
    }
    if (connections_.fetch_add(1, std::memory_order_relaxed) >= connections_max_.load(std::memory_order_relaxed)) {
      connections_.fetch_sub(1, std::memory_order_relaxed);
      ErrorCode ignored;
      if (settings_.certificate_file.empty()) socket.send(asio::buffer(kFull), 0, ignored);
      continue;
    }
    auto tls = tls_.with([](auto& current) { return current; });
    asio::post(dealt.worker->io(), [door = dealt.door, tls = std::move(tls), socket = std::move(socket)]() mutable {
      door->take(std::move(socket), std::move(tls));
    });
  }
}

}  // namespace weir::net
