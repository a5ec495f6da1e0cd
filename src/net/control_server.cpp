#include "net/control_server.hpp"

#include "net/listening_socket.hpp"
#include "net/port_owner.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <utility>

namespace weir::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;

// Enough for a Prometheus, a health check and a few people; a flood must not take the data path's descriptors.
constexpr std::size_t kSessionsMax = 64;
constexpr std::uint32_t kHeadBytesMax = 8U << 10;
constexpr std::uint64_t kBodyBytesMax = 64U << 10;
constexpr std::chrono::seconds kReadTime{75};  // between requests, too: a scraper keeps its connection
constexpr std::chrono::seconds kAnswerTime{30};
constexpr std::chrono::milliseconds kAcceptPause{100};

ControlReply plain_error(unsigned status, const char* body) {
  ControlReply reply;
  reply.status = status;
  reply.body = body;
  return reply;
}

}  // namespace

struct ControlServer::Listening : std::enable_shared_from_this<Listening> {
  Listening(asio::io_context& io, Handler handler_) : acceptor(io), pause(io), handler(std::move(handler_)) {}

  void accept();

  Tcp::acceptor acceptor;
  asio::steady_timer pause;
  Handler handler;  ///< empty once stopped
  std::size_t sessions = 0;
};

/// One connection: read, answer, read again; each step has a deadline.
class ControlServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, std::shared_ptr<Listening> server)
      : stream_(std::move(socket)), answer_timer_(stream_.get_executor()), server_(std::move(server)) {
    ++server_->sessions;
  }
  ~Session() { --server_->sessions; }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeadBytesMax);
    parser_->body_limit(kBodyBytesMax);
    stream_.expires_after(kReadTime);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_read(error); });
  }

 private:
  void on_read(ErrorCode error) {
    if (error == http::error::body_limit || error == http::error::header_limit) {
      keep_alive_ = false;
      return write(plain_error(413, R"({"error":{"message":"too large for the admin port"}})"));
    }
    if (error == http::error::end_of_stream || error == beast::error::timeout || !server_->handler) return close();
    if (error) {
      if (error.category() != http::make_error_code(http::error::bad_method).category()) return close();
      keep_alive_ = false;
      return write(plain_error(400, R"({"error":{"message":"not a request that HTTP/1.1 knows"}})"));
    }
    const auto& message = parser_->get();
    keep_alive_ = message.keep_alive() && server_->acceptor.is_open();  // else the next process is the one to ask
    head_only_ = message.method() == http::verb::head;
    const auto field = [&](http::field name) { return std::string{message[name]}; };
    ControlRequest request;
    // HEAD is GET without the body; that is settled here, so that no handler needs to know.
    request.method = head_only_ ? "GET" : std::string{message.method_string()};
    request.target = std::string{message.target()};
    request.host = field(http::field::host);
    request.origin = field(http::field::origin);
    request.authorization = field(http::field::authorization);
    request.content_type = field(http::field::content_type);
    request.body = message.body();
    ErrorCode gone;
    const Tcp::endpoint peer = stream_.socket().remote_endpoint(gone);
    if (!gone) request.peer = peer.address().to_string() + ":" + std::to_string(peer.port());
    wait_for_answer();
    server_->handler(request, [held = held(), question = question_](ControlReply reply) {
      asio::dispatch(held->answer_timer_.get_executor(), [held, question, reply = std::move(reply)]() mutable {
        held->answer(question, std::move(reply));
      });
    });
  }

  /// For who may answer on another thread, and be the last to let go: the session ends on its own thread all the same.
  std::shared_ptr<Session> held() {
    return {this, [self = shared_from_this()](Session* session) mutable {
              asio::post(session->answer_timer_.get_executor(), [self = std::move(self)] {});
            }};
  }

  void wait_for_answer() {
    ++question_;
    unanswered_ = true;
    answer_timer_.expires_after(kAnswerTime);
    answer_timer_.async_wait([self = shared_from_this(), question = question_](ErrorCode cancelled) {
      if (cancelled) return;
      self->answer(question, plain_error(503, R"({"error":{"message":"weir did not answer in time; try again"}})"));
    });
  }

  /// Only the first answer to the question at hand counts.
  void answer(std::uint64_t question, ControlReply reply) {
    if (question != question_ || !unanswered_) return;
    unanswered_ = false;
    answer_timer_.cancel();
    write(std::move(reply));
  }

  void write(ControlReply reply) {
    reply_ = {};
    reply_.version(11);
    reply_.result(reply.status);
    reply_.set(http::field::content_type, reply.content_type);
    reply_.set(http::field::cache_control, "no-store");
    reply_.set("X-Content-Type-Options", "nosniff");
    if (!reply.allow.empty()) reply_.set(http::field::allow, reply.allow);
    if (!reply.www_authenticate.empty()) reply_.set(http::field::www_authenticate, reply.www_authenticate);
    reply_.keep_alive(keep_alive_);
    reply_.content_length(reply.body.size());
    if (!head_only_) reply_.body() = std::move(reply.body);
    stream_.expires_after(kAnswerTime);
    serializer_.emplace(reply_);
    const auto done = [self = shared_from_this()](ErrorCode error, std::size_t) {
      if (error || !self->keep_alive_) return self->close();
      self->read();
    };
    if (head_only_) {
      http::async_write_header(stream_, *serializer_, done);
    } else {
      http::async_write(stream_, *serializer_, done);
    }
  }

  void close() {
    ErrorCode ignored;
    stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    stream_.close();
  }

  beast::tcp_stream stream_;
  asio::steady_timer answer_timer_;
  std::shared_ptr<Listening> server_;
  beast::flat_buffer buffer_{kHeadBytesMax + kBodyBytesMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> reply_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  bool keep_alive_ = false;
  bool head_only_ = false;
  bool unanswered_ = false;
  std::uint64_t question_ = 0;
};

void ControlServer::Listening::accept() {
  acceptor.async_accept([self = shared_from_this()](ErrorCode error, Tcp::socket socket) {
    if (error && !self->acceptor.is_open()) return;
    if (error) {
      // Out of descriptors: wait instead of spinning; the next ones stay in the kernel's queue.
      self->pause.expires_after(kAcceptPause);
      self->pause.async_wait([self](ErrorCode cancelled) {
        if (!cancelled && self->acceptor.is_open()) self->accept();
      });
      return;
    }
    if (self->sessions < kSessionsMax) {
      ErrorCode ignored;
      socket.set_option(Tcp::no_delay{true}, ignored);
      std::make_shared<Session>(std::move(socket), self)->read();
    }
    if (self->acceptor.is_open()) self->accept();
  });
}

Result<std::unique_ptr<ControlServer>> ControlServer::open(asio::io_context& io, const Address& address,
                                                           Handler handler, int inherited) {
  const std::string where = address.host + ":" + std::to_string(address.port);
  ErrorCode error;
  const auto ip = asio::ip::make_address(address.host == "localhost" ? "127.0.0.1" : address.host, error);
  if (error) {
    return failure(address.setting_name + ": " + address.host +
                   " is not an address; write 127.0.0.1, 0.0.0.0 or ::1 with a port");
  }
  auto listening = std::make_shared<Listening>(io, std::move(handler));
  Tcp::acceptor& acceptor = listening->acceptor;
  const Tcp::endpoint endpoint{ip, address.port};
  open_listening(acceptor, endpoint, 128, inherited, error);
  if (error == asio::error::address_in_use) {
    const std::string owner = describe_port_owner(address.port);
    return failure(address.setting_name + ": " + where + " is in use" + (owner.empty() ? "" : " by " + owner) +
                   "; end that process or set " + address.setting_name + " to another port");
  }
  if (error) return failure(address.setting_name + ": cannot listen on " + where + ": " + error.message());
  listening->accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(listening)));
}

ControlServer::~ControlServer() {
  stop();
}

std::uint16_t ControlServer::port() const {
  ErrorCode error;
  return listening_->acceptor.local_endpoint(error).port();
}

int ControlServer::descriptor() const {
  return listening_->acceptor.native_handle();
}

void ControlServer::stop_accepting() {
  stop_listening(listening_->acceptor);
  listening_->pause.cancel();
}

void ControlServer::stop() {
  stop_accepting();
  listening_->handler = nullptr;
}

}  // namespace weir::net
