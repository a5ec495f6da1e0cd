#pragma once
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/system/error_code.hpp>

namespace weir::net {

/// An inherited listener (RULINGS 17), or none.
inline constexpr int kNotInherited = -1;

/// Opens a listening socket, or takes the one that the process before this one listens on: its queue of connections
/// stays. The error of an inherited descriptor that is no listening socket is ENOTSOCK or EINVAL.
template <class Acceptor>
void open_listening(Acceptor& acceptor, const boost::asio::ip::tcp::endpoint& endpoint, int backlog, int inherited,
                    boost::system::error_code& error) {
  if (inherited != kNotInherited) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(inherited, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
      error.assign(errno, boost::system::system_category());
    } else if (listens == 0) {
      error.assign(EINVAL, boost::system::system_category());
    } else {
      acceptor.assign(endpoint.protocol(), inherited, error);
    }
    return;
  }
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address{true}, error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(boost::asio::ip::v6_only{false}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
}

/// Stops accepting; a process that has inherited the listener goes on with its queue. Not close(): that relies on the
/// kernel to forget a closed descriptor, which it does only when no other process has the listener open, and until then
/// each new connection of the other process would wake this one.
template <class Acceptor>
void stop_listening(Acceptor& acceptor) {
  if (!acceptor.is_open()) return;
  boost::system::error_code error;
  const int descriptor = acceptor.release(error);
  if (!error) ::close(descriptor);
}

}  // namespace weir::net
