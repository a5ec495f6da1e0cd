#include "admin/admin.hpp"

#include <weir/base/ascii.hpp>
#include "admin/origin.hpp"
#include "base/json_writer.hpp"
#include "telemetry/telemetry.hpp"

#include <utility>

namespace weir::admin {
namespace {

using net::ControlReply;
using net::ControlRequest;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::size_t kCallIdBytesMax = 128;  // RULINGS 20

ControlReply error(unsigned status, std::string_view message) {
  ControlReply reply;
  reply.status = status;
  reply.body = R"({"error":{"message":)" + json_string(message) + "}}";
  return reply;
}

ControlReply text(unsigned status, std::string body, std::string_view type) {
  ControlReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.content_type = type;
  return reply;
}

ControlReply only_get() {
  ControlReply reply = error(405, "only GET works here");
  reply.allow = "GET, HEAD";
  return reply;
}

bool is_json(std::string_view content_type) {
  return equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), "application/json");
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::size_t scheme = 7;
  if (authorization.size() < scheme || !equals_ignoring_case(authorization.substr(0, scheme), "bearer ")) return {};
  return trim(authorization.substr(scheme));
}

}  // namespace

Endpoints::Endpoints(AdminSettings settings, Sources sources)
    : settings_(std::move(settings)), sources_(std::move(sources)) {}

void Endpoints::handle(const ControlRequest& request, net::ControlServer::Done done) const {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/api" || path.starts_with("/api/")) return api(request, path, std::move(done));

  const bool known = path == "/metrics" || path == "/healthz" || path == "/readyz";
  if (!known) return done(error(404, "no such path; there are /metrics, /healthz, /readyz and /api/calls/{id}"));
  if (request.method != "GET") return done(only_get());
  if (path == "/metrics") return done(text(200, sources_.metrics_text(), telemetry::Telemetry::metrics_content_type));
  if (path == "/healthz") return done(text(200, "ok\n", kPlainText));
  const std::string why_not = sources_.not_ready_because();
  done(why_not.empty() ? text(200, "ready\n", kPlainText) : text(503, why_not + "\n", kPlainText));
}

void Endpoints::api(const ControlRequest& request, std::string_view path, net::ControlServer::Done done) const {
  // Before the token: a foreign page learns nothing, not even whether there is one.
  if (!host_is_ours(request.host, settings_.host)) {
    return done(error(403, "Host names another server; ask for this one by its address or as localhost"));
  }
  if (!origin_is_ours(request.origin, request.host)) {
    return done(error(403, "Origin is another site's; /api is not for web pages of others"));
  }
  if (settings_.token.empty()) {
    if (!is_loopback(settings_.host)) {
      return done(error(403,
                        "/api is closed: admin.listen can be reached from other machines and admin.token is not "
                        "set. Set admin.token, or listen on 127.0.0.1."));
    }
  } else if (!same_secret(bearer_token(request.authorization), settings_.token)) {
    ControlReply reply = error(401, "send admin.token as `Authorization: Bearer …`");
    reply.www_authenticate = "Bearer realm=\"weir admin\"";
    return done(std::move(reply));
  }
  if (!request.body.empty() && !is_json(request.content_type)) {
    return done(error(415, "send the body as Content-Type: application/json"));
  }

  constexpr std::string_view calls = "/api/calls/";
  if (!path.starts_with(calls)) return done(error(404, "no such path; there is /api/calls/{id}"));
  if (request.method != "GET") return done(only_get());
  const std::string_view id = path.substr(calls.size());
  if (id.empty() || id.size() > kCallIdBytesMax || id.find('/') != std::string_view::npos) {
    return done(error(404, "no such path; there is /api/calls/{id}, with weir's id or the client's x-request-id"));
  }
  sources_.find_calls(std::string{id}, [done = std::move(done)](std::string body) {
    ControlReply reply;
    reply.body = std::move(body);
    done(std::move(reply));
  });
}

Result<std::unique_ptr<Admin>> Admin::open(boost::asio::io_context& io, const AdminSettings& settings, Sources sources,
                                           int inherited) {
  std::unique_ptr<Admin> admin{new Admin};
  admin->endpoints_ = std::make_unique<const Endpoints>(settings, std::move(sources));
  auto handler = [endpoints = admin->endpoints_.get()](const ControlRequest& request, net::ControlServer::Done done) {
    endpoints->handle(request, std::move(done));
  };
  auto server =
      net::ControlServer::open(io, {settings.host, settings.port, "admin.listen"}, std::move(handler), inherited);
  if (!server) return std::unexpected(server.error());
  admin->server_ = std::move(*server);
  return admin;
}

}  // namespace weir::admin
