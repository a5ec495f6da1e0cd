#include "providers/image_fetcher.hpp"

#include <vector>

#include <fmt/format.h>

#include <weir/exchange/limits.hpp>
#include "net/body_reader.hpp"
#include "net/http1_head.hpp"
#include "net/public_address.hpp"
#include "net/upstream_pool.hpp"
#include "providers/attempt_timer.hpp"

namespace weir::providers {
namespace {

void gather(std::vector<vocabulary::Part>& parts, std::vector<vocabulary::Media*>& into) {
  for (vocabulary::Part& part : parts) {
    if (auto* image = part.as<vocabulary::ImagePart>()) into.push_back(&image->media);
    if (auto* result = part.as<vocabulary::ToolResultPart>()) gather(result->content, into);
  }
}

Ending refuse(std::string message) {
  Ending ending;
  ending.failure = Failure::client_malformed;
  ending.phase = Phase::resolve;
  ending.permanent = true;
  ending.param = "messages";
  ending.code = "image_not_fetched";
  ending.message = std::move(message);
  return ending;
}

/// What ends the call ends the fetch, too; its own time limit does not end the call.
class Passing final : public Interruptible {
 public:
  Passing(Interrupt& from, Interrupt& to) : from_(from), to_(to) {}
  void interrupt() override { to_.fire(from_.reason()); }

 private:
  Interrupt& from_;
  Interrupt& to_;
};

}  // namespace

awaitable<std::optional<Ending>> ImageFetcher::fill_in(vocabulary::ChatRequest& request,
                                                       std::span<const std::string> hosts, Interrupt& interrupt) {
  std::vector<vocabulary::Media*> images;
  for (vocabulary::Message& message : request.messages) gather(message.parts, images);
  Interrupt own;
  Passing passing(interrupt, own);
  const Interrupt::Scope scope(interrupt, passing);
  AttemptTimer timer(worker_.deadlines(), own, Clock::now() + limits::fetched_images_time);
  timer.only_total();
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (vocabulary::Media* media : images) {
    if (media->source != vocabulary::Media::Source::url) continue;
    const auto image = read_image_url(media->data.str(), hosts);
    if (!image) continue;
    if (++count > limits::fetched_images_max) {
      co_return refuse(fmt::format("weir fetches at most {} images for a call.", limits::fetched_images_max));
    }
    auto fetched = co_await fetch(*image, own);
    if (interrupt.fired()) {
      Ending ending;
      ending.failure = failure_of(interrupt.reason());
      ending.phase = Phase::resolve;
      co_return ending;
    }
    // Only its host is named: the rest of a URL may be a secret.
    if (!fetched) {
      co_return refuse(
          fmt::format("The image at {} could not be fetched: {}.", image->authority, fetched.error().message));
    }
    const std::string_view type = image_type(fetched->view());
    if (type.empty()) {
      co_return refuse(fmt::format("What is at {} is no PNG, JPEG, GIF or WebP.", image->authority));
    }
    bytes += fetched->size();
    if (bytes > limits::fetched_images_bytes_max) {
      co_return refuse(
          fmt::format("The images have more than {} MiB together.", limits::fetched_images_bytes_max >> 20));
    }
    std::string base64;
    append_base64(fetched->view(), base64);
    media->source = vocabulary::Media::Source::base64;
    media->media_type = vocabulary::Text::owned(std::string(type));
    media->data = vocabulary::Text::owned(std::move(base64));
  }
  co_return std::nullopt;
}

awaitable<Result<Buffer>> ImageFetcher::fetch(const ImageAddress& image, Interrupt& interrupt) {
  const auto out_of_time = [] { return failure(fmt::format("not within {} s", limits::fetched_images_time.count())); };
  auto address = std::make_shared<net::UpstreamAddress>();
  address->host = image.host;
  address->port = image.port;
  address->tls = tls_;
  if (!image.literal) address->allowed = &net::is_public;
  const auto pool = std::make_shared<net::UpstreamPool>(worker_, resolver_, address);
  Attempt attempt;  // its times are nobody's
  auto leased = co_await pool->lease(interrupt, attempt, true);
  if (interrupt.fired()) co_return out_of_time();
  if (!leased.connection) co_return failure(std::move(leased.message));

  net::Connection& link = **leased.connection;
  const Interrupt::Scope scope(interrupt, link);
  const std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: weir/{}\r\nAccept: image/png, image/jpeg, image/gif, image/webp\r\n"
      "Accept-Encoding: identity\r\nConnection: close\r\n\r\n",
      image.target, image.authority, WEIR_VERSION);
  if (!co_await link.write(request)) co_return failure("the connection was closed");
  net::ReplyHead head;
  net::HeadLimits head_limits;
  head_limits.head_bytes_max = limits::reply_head_bytes_max;
  for (;;) {
    const net::ScanState state = head.scan(link.input().view(), head_limits);
    if (state == net::ScanState::refused) co_return failure("the answer is no HTTP");
    if (state == net::ScanState::complete && head.status() >= 200) break;
    if (state == net::ScanState::complete) {
      link.input().consume(head.head_bytes());
      head.reset();
      continue;
    }
    if (interrupt.fired()) co_return out_of_time();
    if (link.ended()) co_return failure("the connection was closed");
    co_await link.more(limits::stream_read_bytes);
  }
  if (head.status() >= 300 && head.status() < 400) {
    co_return failure(fmt::format("it answered {}, and redirects are not followed", head.status()));
  }
  if (head.status() != 200) co_return failure(fmt::format("it answered {}", head.status()));
  net::BodyReader body(head, false);
  link.input().consume(head.head_bytes());
  const auto advance = [&] { body.advance(link.input(), link.ended(), link.ended() && link.error()); };
  const auto too_large = [&] {
    return body.ready() > limits::fetched_images_bytes_max ||
           (!body.done() && body.announced() > limits::fetched_images_bytes_max);
  };
  for (advance(); !body.done() && !body.failed() && !too_large(); advance()) {
    co_await link.more(limits::stream_read_bytes);
  }
  if (interrupt.fired()) co_return out_of_time();
  if (too_large()) co_return failure(fmt::format("it has more than {} MiB", limits::fetched_images_bytes_max >> 20));
  if (!body.done()) co_return failure("it was cut off");
  Buffer fetched = std::move(link.input());
  fetched.truncate(body.ready());
  co_return fetched;
}

}  // namespace weir::providers
