#include "admin/admin.hpp"

#include <weir/base/ascii.hpp>
#include <weir/base/log.hpp>
#include "admin/origin.hpp"
#include "base/json_writer.hpp"
#include "telemetry/telemetry.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <utility>

namespace weir::admin {
namespace {

using net::ControlReply;
using net::ControlRequest;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::size_t kCallIdBytesMax = 128;  // RULINGS 20

ControlReply text(unsigned status, std::string body, std::string_view type) {
  ControlReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.content_type = type;
  return reply;
}

ControlReply only(std::string_view methods) {
  ControlReply reply = api_error(405, "this method does not work here; Allow says which do");
  reply.allow = methods;
  return reply;
}

ControlReply no_such_path() {
  return api_error(404,
                   "no such path; there are /api/calls, /api/calls/{id}, /api/report, /api/keys, "
                   "/api/keys/{name}/revoke and /api/keys/{name}/rotate");
}

/// How long a rotated key goes on working: {"grace_seconds": N}, a day where nothing is said.
std::optional<std::chrono::milliseconds> grace_of(std::string_view body) {
  constexpr std::int64_t day = 86'400;
  constexpr std::int64_t most = 30 * day;
  if (body.empty()) return std::chrono::seconds{day};
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != 1 || !json.contains("grace_seconds")) return std::nullopt;
  const auto& seconds = json["grace_seconds"];
  if (!seconds.is_number_integer() || seconds < 0 || seconds > most) return std::nullopt;
  return std::chrono::seconds{seconds.get<std::int64_t>()};
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

ApiReply api_error(unsigned status, std::string_view message) {
  ApiReply reply;
  reply.status = status;
  reply.body = R"({"error":{"message":)" + json_string(message) + "}}";
  return reply;
}

ApiReply api_body(std::string json) {
  ApiReply reply;
  reply.body = std::move(json);
  return reply;
}

Endpoints::Endpoints(AdminSettings settings, Sources sources)
    : settings_(std::move(settings)), sources_(std::move(sources)) {}

void Endpoints::handle(const ControlRequest& request, net::ControlServer::Done done) const {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/api" || path.starts_with("/api/")) return api(request, path, std::move(done));

  const bool known = path == "/metrics" || path == "/healthz" || path == "/readyz";
  if (!known) return done(api_error(404, "no such path; there are /metrics, /healthz, /readyz and /api/*"));
  if (request.method != "GET") return done(only("GET, HEAD"));
  if (path == "/metrics") return done(text(200, sources_.metrics_text(), telemetry::Telemetry::metrics_content_type));
  if (path == "/healthz") return done(text(200, "ok\n", kPlainText));
  const std::string why_not = sources_.not_ready_because();
  done(why_not.empty() ? text(200, "ready\n", kPlainText) : text(503, why_not + "\n", kPlainText));
}

std::optional<ControlReply> Endpoints::refuse(const ControlRequest& request) const {
  // Before the token: a foreign page learns nothing, not even whether there is one.
  if (!host_is_ours(request.host, settings_.host)) {
    return api_error(403, "Host names another server; ask for this one by its address or as localhost");
  }
  if (!origin_is_ours(request.origin, request.host)) {
    return api_error(403, "Origin is another site's; /api is not for web pages of others");
  }
  if (settings_.token.empty()) {
    if (is_loopback(settings_.host)) return std::nullopt;
    return api_error(403,
                     "/api is closed: admin.listen can be reached from other machines and admin.token is not "
                     "set. Set admin.token, or listen on 127.0.0.1.");
  }
  if (!same_secret(bearer_token(request.authorization), settings_.token)) {
    ControlReply reply = api_error(401, "send admin.token as `Authorization: Bearer …`");
    reply.www_authenticate = "Bearer realm=\"weir admin\"";
    return reply;
  }
  return std::nullopt;
}

void Endpoints::api(const ControlRequest& request, std::string_view path, net::ControlServer::Done done) const {
  if (auto refused = refuse(request)) return done(std::move(*refused));
  if (!request.body.empty() && !is_json(request.content_type)) {
    return done(api_error(415, "send the body as Content-Type: application/json"));
  }
  constexpr std::string_view calls = "/api/calls/";
  if (path == "/api/keys" || path.starts_with("/api/keys/")) return keys(request, path, std::move(done));
  if (path != "/api/calls" && path != "/api/report" && !path.starts_with(calls)) return done(no_such_path());
  if (request.method != "GET") return done(only("GET, HEAD"));
  if (path == "/api/calls") return sources_.recent_calls(std::move(done));
  if (path == "/api/report") {
    const std::string_view target = request.target;
    const std::size_t query = target.find('?');
    return sources_.report(std::string{query == target.npos ? "" : target.substr(query + 1)}, std::move(done));
  }
  const std::string_view id = path.substr(calls.size());
  if (id.empty() || id.size() > kCallIdBytesMax || id.find('/') != std::string_view::npos) {
    return done(api_error(404, "no such path; there is /api/calls/{id}, with weir's id or the client's x-request-id"));
  }
  sources_.find_calls(std::string{id}, std::move(done));
}

void Endpoints::keys(const ControlRequest& request, std::string_view path, net::ControlServer::Done done) const {
  constexpr std::string_view all = "/api/keys";
  if (path == all) {
    if (request.method != "GET") return done(only("GET, HEAD"));
    return done(sources_.list_keys());
  }
  const std::string_view rest = path.substr(all.size() + 1);
  const std::size_t slash = rest.rfind('/');
  const std::string_view verb = slash == rest.npos ? std::string_view{} : rest.substr(slash + 1);
  if (verb != "revoke" && verb != "rotate") return done(no_such_path());
  if (request.method != "POST") return done(only("POST"));
  const std::string name{rest.substr(0, slash)};
  ControlReply reply;
  if (verb == "revoke") {
    reply = sources_.revoke_key(name);
  } else if (const auto grace = grace_of(request.body)) {
    reply = sources_.rotate_key(name, *grace);
  } else {
    reply = api_error(400, R"(the body is {"grace_seconds": N}, with N from 0 to 2592000, or empty for a day)");
  }
  log::info("audit: {} {} by {} gave {}", request.method, path, request.peer, reply.status);
  done(std::move(reply));
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
