#include "net/http1_head.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1_characters.hpp"

namespace weir::net {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr HeadLimits kLimits{};

std::string request(std::string_view fields, std::string_view first_line = "POST /v1/chat/completions HTTP/1.1") {
  return std::string(first_line) + "\r\n" + std::string(fields) + "\r\n";
}

/// The status of the refusal; 0 if complete, -1 if more is wanted.
int status_of(std::string_view bytes, const HeadLimits& limits = kLimits) {
  RequestHead head;
  switch (head.scan(bytes, limits)) {
    case ScanState::complete:
      return 0;
    case ScanState::need_more:
      return -1;
    case ScanState::refused:
      break;
  }
  EXPECT_FALSE(head.reason().empty());
  EXPECT_TRUE(head.reason().ends_with('.')) << head.reason();
  return head.status();
}

ScanState scan_reply(std::string_view bytes) {
  ReplyHead head;
  const auto state = head.scan(bytes, kLimits);
  EXPECT_EQ(head.reason().empty(), state != ScanState::refused);
  return state;
}

/// Everything that one can learn from a head, as text.
template <class Head>
std::string summary(const Head& head, ScanState state) {
  std::string text = std::to_string(static_cast<int>(state)) + " " + std::string(head.reason());
  if (state == ScanState::refused) return text + std::to_string(head.status());
  if (state == ScanState::need_more) return text;
  text += std::to_string(head.head_bytes()) + " " + std::to_string(head.minor_version()) + " ";
  text += std::to_string(head.keep_alive()) + std::to_string(head.chunked()) + " ";
  text += head.content_length() ? std::to_string(*head.content_length()) : "-";
  if constexpr (std::is_same_v<Head, RequestHead>) {
    text += std::string(head.method()) + " " + std::string(head.target()) + " " + std::string(head.host());
    text += std::to_string(head.expects_continue());
  } else {
    text += std::to_string(head.status());
  }
  for (const auto& [name, value] : head.fields()) text += "|" + std::string(name) + "=" + std::string(value);
  return text;
}

/// Scans `bytes` in the given portions, from a new block of exactly the right size each time.
template <class Head>
std::string scan_in_portions(std::string_view bytes, const std::vector<std::size_t>& ends, const HeadLimits& limits) {
  Head head;
  ScanState state = ScanState::need_more;
  std::unique_ptr<char[]> block;
  for (std::size_t end : ends) {
    auto moved = std::make_unique<char[]>(end);
    std::copy_n(bytes.data(), end, moved.get());
    block = std::move(moved);
    state = head.scan({block.get(), end}, limits);
    if (state != ScanState::need_more) break;
  }
  return summary(head, state);
}

template <class Head>
void expect_same_however_cut(std::string_view bytes, const HeadLimits& limits = kLimits) {
  const auto whole = scan_in_portions<Head>(bytes, {bytes.size()}, limits);
  std::vector<std::size_t> each(bytes.size());
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = i + 1;
  EXPECT_EQ(scan_in_portions<Head>(bytes, each, limits), whole) << bytes;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ASSERT_EQ(scan_in_portions<Head>(bytes, {cut, bytes.size()}, limits), whole) << "cut at " << cut << " of " << bytes;
  }
}

const std::vector<std::string> kValidRequests{
    request("Host: a\r\n"),
    request("Host: 127.0.0.1:8080\r\nContent-Type: application/json\r\nAuthorization: Bearer sk with space\r\n"
            "Accept: */*\r\nContent-Length: 12\r\n"),
    request("host:a.example\r\nTRANSFER-ENCODING: Chunked\r\nExpect: 100-Continue\r\nConnection: close\r\n"),
    request("Host: [2001:db8::1]:443\r\nX-Empty:\r\nX-Spaces: \t \r\nX-Text: \xC3\xA9t\xC3\xA9\t!\r\n",
            "GET /v1/models?limit=2&name[]=%5Bx%5d&q={a|b}^` HTTP/1.1"),
    request("Host: a\r\n", "GET /healthz HTTP/1.0"),
    request("Host: a\r\nConnection: keep-alive\r\n", "GET /healthz HTTP/1.0"),
    request("Host: a\r\n", "OPTIONS * HTTP/1.1"),
    "\r\n" + request("Host: a\r\n", "DELETE /v1/files/file-abc HTTP/1.1"),
    request("Host: a\r\nContent-Encoding: identity\r\nContent-Length: 0\r\n", "PUT /v1/x HTTP/1.1"),
};

const std::vector<std::string> kValidReplies{
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.0 404 \r\nserver:\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5, max=100\r\nX-Empty:\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 503 \xC3\xA4rger\r\nConnection: close\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
};

TEST(RequestHead, ReadsAllThatTheGatewayNeeds) {
  const auto bytes = kValidRequests[1] + "{\"body\":true}";
  RequestHead head;
  ASSERT_EQ(head.scan(bytes, kLimits), ScanState::complete);
  EXPECT_EQ(head.method(), "POST");
  EXPECT_EQ(head.target(), "/v1/chat/completions");
  EXPECT_EQ(head.host(), "127.0.0.1:8080");
  EXPECT_EQ(head.minor_version(), 1);
  EXPECT_EQ(head.content_length(), 12U);
  EXPECT_FALSE(head.chunked());
  EXPECT_FALSE(head.expects_continue());
  EXPECT_TRUE(head.keep_alive());
  EXPECT_EQ(head.fields().size(), 5U);
  EXPECT_EQ(head.find("authorization"), "Bearer sk with space");
  EXPECT_EQ(head.find("content-type"), "application/json");
  EXPECT_EQ(head.find("accep"), std::nullopt);
  EXPECT_EQ(head.head_bytes(), kValidRequests[1].size());
}

TEST(RequestHead, SameResultHoweverTheBytesAreCut) {
  for (const auto& bytes : kValidRequests) {
    EXPECT_EQ(status_of(bytes), 0) << bytes;
    expect_same_however_cut<RequestHead>(bytes);
  }
}

TEST(RequestHead, PipelinedBytesBehindTheHeadAreNotLookedAt) {
  for (const auto& bytes : kValidRequests) {
    const auto pipelined = bytes + "\0\r\rGET\n"s + std::string(100'000, 'x');
    RequestHead head;
    ASSERT_EQ(head.scan(pipelined, kLimits), ScanState::complete);
    EXPECT_EQ(head.head_bytes(), bytes.size());
  }
}

TEST(RequestHead, ResetMakesItNew) {
  RequestHead head;
  ASSERT_EQ(head.scan(kValidRequests[2], kLimits), ScanState::complete);
  head.reset();
  ASSERT_EQ(head.scan(kValidRequests[4], kLimits), ScanState::complete);
  RequestHead fresh;
  const auto state = fresh.scan(kValidRequests[4], kLimits);
  EXPECT_EQ(summary(head, ScanState::complete), summary(fresh, state));
  head.reset();
  ASSERT_EQ(head.scan("x\n", kLimits), ScanState::refused);
  head.reset();
  EXPECT_EQ(head.scan(kValidRequests[0], kLimits), ScanState::complete);
}

TEST(RequestHead, EmptyHeaderValuesAreLegal) {  // SEMANTICS 17
  RequestHead head;
  const auto bytes = request("Host: a\r\nX-A:\r\nX-B:   \r\nExpect:\r\nContent-Encoding:\r\nConnection:\r\n");
  ASSERT_EQ(head.scan(bytes, kLimits), ScanState::complete);
  EXPECT_EQ(head.find("x-a"), "");
  EXPECT_EQ(head.find("x-b"), "");
  EXPECT_FALSE(head.expects_continue());
}

TEST(RequestHead, KeepAlive) {
  const auto keeps = [](std::string_view connection, std::string_view version) {
    const auto bytes = request("Host: a\r\n" + std::string(connection), "GET / HTTP/" + std::string(version));
    RequestHead head;
    EXPECT_EQ(head.scan(bytes, kLimits), ScanState::complete);
    return head.keep_alive();
  };
  EXPECT_TRUE(keeps("", "1.1"));
  EXPECT_FALSE(keeps("", "1.0"));
  EXPECT_TRUE(keeps("Connection: Keep-Alive\r\n", "1.0"));
  EXPECT_FALSE(keeps("Connection: foo , CLOSE\r\n", "1.1"));
  EXPECT_FALSE(keeps("Connection: keep-alive\r\nConnection: close\r\n", "1.1"));
  EXPECT_FALSE(keeps("Connection: close, keep-alive\r\n", "1.0"));
  EXPECT_TRUE(keeps("Connection: closed,,\r\n", "1.1"));
}

TEST(RequestHead, ExpectContinueCountsOnlyInHttp11) {
  RequestHead head;
  const auto bytes = request("Host: a\r\nExpect: 100-continue\r\n", "POST / HTTP/1.0");
  ASSERT_EQ(head.scan(bytes, kLimits), ScanState::complete);
  EXPECT_FALSE(head.expects_continue());
  EXPECT_EQ(status_of(request("Host: a\r\nExpect: 200-ok\r\n")), 417);
}

// SEMANTICS 37, one test per rule.

TEST(RequestHead, LengthAndCodingTogetherAreRefused) {
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
}

TEST(RequestHead, TwoLengthsAreRefused) {
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 5, 5\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 5,6\r\n")), 400);
}

TEST(RequestHead, LengthIsOnePlainNumber) {
  for (auto value : {"+5", "-5", "0x5", "5 5", "5.0", "5e1", "", " ", "five", "5;", "\"5\"", "\xD9\xA5",
                     "99999999999999999999", "18446744073709551616"}) {
    EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: "s + value + "\r\n")), 400) << value;
  }
  RequestHead head;
  const auto largest = request("Host: a\r\nContent-Length:\t9999999999999999999 \r\n");
  ASSERT_EQ(head.scan(largest, kLimits), ScanState::complete);
  EXPECT_EQ(head.content_length(), 9999999999999999999U);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length: 0005\r\n")), 0);
}

TEST(RequestHead, CodingOtherThanExactlyChunkedIsRefused) {
  for (auto value : {"xchunked", "chunked, chunked", "gzip, chunked", "chunked, identity", "chunked,", ",chunked",
                     "identity", "gzip", "", "chunked;q=1", "\"chunked\"", "chunke",
                     "\x0B"
                     "chunked",
                     "chunked x"}) {
    EXPECT_EQ(status_of(request("Host: a\r\nTransfer-Encoding: "s + value + "\r\n")), 400) << value;
  }
  EXPECT_EQ(status_of(request("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nTransfer-Encoding: chunked\r\n", "POST / HTTP/1.0")), 400);
}

TEST(RequestHead, HostIsThereOnceAndValid) {
  EXPECT_EQ(status_of(request("")), 400);
  EXPECT_EQ(status_of(request("X-Host: a\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nHost: a\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nHost: b\r\n", "GET / HTTP/1.0")), 400);
  EXPECT_EQ(status_of(request("", "GET / HTTP/1.0")), 400);
  for (auto host : {"",     " ",  "a b", "a,b",    "a/b",    "a@b",   "a:b", "a:80:80", "a:123456", ":80",
                    "[::1", "[]", "::1", "[::1]x", "[::1]:", "[g::]", "a?b", "a#b",     "a\\b",     "h\xC3\xB6st"}) {
    const bool legal = host == "[::1]:"sv;  // an empty port is legal
    EXPECT_EQ(status_of(request("Host: "s + host + "\r\n")), legal ? 0 : 400) << host;
  }
  for (auto host : {"a", "a:", "a.b-c_d:65535", "1.2.3.4", "[::1]", "[::ffff:1.2.3.4]:1", "a%20b"}) {
    EXPECT_EQ(status_of(request("Host: "s + host + "\r\n")), 0) << host;
  }
}

TEST(RequestHead, FoldedLinesAreRefused) {
  EXPECT_EQ(status_of(request("Host: a\r\nX-A: b\r\n c\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nX-A: b\r\n\tc\r\n")), 400);
  EXPECT_EQ(status_of(request(" Host: a\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nX-A: b\r\n \r\n")), 400);
}

TEST(RequestHead, BareLineFeedsAreRefused) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\n\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
  EXPECT_EQ(status_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\n"), 400) << "at once, not when the head is whole";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: b\nContent-Length: 5\r\n\r\n"), 400);
}

TEST(RequestHead, BareCarriageReturnsAreRefused) {
  for (auto bytes : {"GET / HTTP/1.1\rHost: a\r\r", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: 5\r\n\r\n",
                     "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
                     "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "GET\r / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    EXPECT_EQ(status_of(bytes), 400) << bytes;
    expect_same_however_cut<RequestHead>(bytes);
  }
}

TEST(RequestHead, SpaceBeforeTheColonIsRefused) {
  EXPECT_EQ(status_of(request("Host : a\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Length : 5\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\nTransfer-Encoding\t: chunked\r\n")), 400);
}

TEST(RequestHead, BadFieldNamesAreRefused) {
  for (auto line : {": a", "X", "X Y: a", "X(: a", "X/Y: a", "\"X\": a", "X\x80: a", "X@: a", "{x}: a", "=: a\\:"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n"s + line + "\r\n")), 400) << line;
  }
  EXPECT_EQ(status_of(request("Host: a\r\n!#$%&'*+-.^_`|~09azAZ: a\r\n")), 0);
}

TEST(RequestHead, UnderscoreSpellingsOfTheFramingAreRefused) {
  EXPECT_EQ(status_of(request("Host: a\r\nContent_Length: 5\r\n")), 400);
  EXPECT_EQ(status_of(request("Host: a\r\ntransfer_encoding: chunked\r\n")), 400);
}

TEST(RequestHead, ControlCharactersAreRefusedAtEveryPlace) {
  const std::string good = request("Host: a\r\nX-Task: some text here\r\nContent-Length: 5\r\n");
  int refused = 0;
  for (int code = 0; code < 128; ++code) {
    const char c = static_cast<char>(code);
    if (c == '\t' || (code >= 0x20 && code != 0x7f)) continue;
    for (std::size_t at = 0; at < good.size(); ++at) {
      auto bad = good;
      bad.insert(at, 1, c);
      if (bad.starts_with(good)) continue;  // an LF more behind the head is body
      EXPECT_EQ(status_of(bad), 400) << code << " at " << at;
      bad = good;
      if (bad[at] == c) continue;
      bad[at] = c;
      EXPECT_NE(status_of(bad), 0) << code << " instead of byte " << at;
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

TEST(RequestHead, CompressedBodiesAreRefusedWith415) {
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Encoding: gzip\r\n")), 415);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Encoding: identity\r\nContent-Encoding: br\r\n")), 415);
  EXPECT_EQ(status_of(request("Host: a\r\nContent-Encoding: Identity\r\n")), 0);
}

TEST(RequestHead, RequestLineIsThreeWordsWithSingleSpaces) {
  for (auto line : {"GET", "GET /", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1",
                    "GET / http/1.1", "GET / HTTP/1.1x", "GET / HTTP/11", "GET / HTTP/1,1", "GET\t/ HTTP/1.1",
                    "G(T / HTTP/1.1", "GET /a b HTTP/1.1", "GET / HTTP/x.y", "\x16\x03\x01 / HTTP/1.1"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n", line)), 400) << line;
  }
  for (auto line : {"GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9", "PRI * HTTP/2.0"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n", line)), 505) << line;
  }
}

TEST(RequestHead, MethodsOtherThanAnApisAreRefused) {
  for (auto method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n", method + " / HTTP/1.1"s)), 0) << method;
  }
  EXPECT_EQ(status_of(request("Host: a\r\n", "TRACE / HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("Host: a\r\n", "CONNECT a:443 HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("Host: a\r\n", "get / HTTP/1.1")), 501);
  EXPECT_EQ(status_of(request("Host: a\r\n", "BREW / HTTP/1.1")), 501);
}

TEST(RequestHead, TargetIsAPathWithoutTricks) {
  for (auto target : {"http://a/v1",  "https://a/", "v1/models", "*",         "?x",     "/a#b",    "/a\\b", "/a\"b",
                      "/<a>",         "/\x80",      "/%",        "/%2",       "/%zz",   "/a?%g0",  "/.",    "/..",
                      "/v1/../admin", "/v1/./x",    "/v1/..",    "/%2e%2E/x", "/.%2e/", "/v1/%2e", "/..?x"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n", "GET "s + target + " HTTP/1.1")), 400) << target;
  }
  for (auto target : {"/", "//", "/a.b", "/...", "/.well-known", "/a..", "/v1/files/%2Fx", "/x?y=/../z", "/x?%2e%2e",
                      "/%2ea", "/a%2e%2e"}) {
    EXPECT_EQ(status_of(request("Host: a\r\n", "GET "s + target + " HTTP/1.1")), 0) << target;
  }
}

TEST(RequestHead, OnlyOneEmptyLineMayComeFirst) {
  const auto good = request("Host: a\r\n");
  const auto after_one = "\r\n" + good;
  RequestHead head;
  ASSERT_EQ(head.scan(after_one, kLimits), ScanState::complete);
  EXPECT_EQ(head.method(), "POST");
  EXPECT_EQ(head.target(), "/v1/chat/completions");
  EXPECT_EQ(head.head_bytes(), after_one.size());
  EXPECT_EQ(status_of("\r\n\r\n" + good), 400);
  EXPECT_EQ(status_of("\r\n"), -1);
  EXPECT_EQ(status_of("\r"), -1);
  EXPECT_EQ(status_of(" \r\n" + good), 400);
}

TEST(RequestHead, LimitsAreKeptToTheByte) {
  const HeadLimits small{.head_bytes_max = 200, .line_bytes_max = 100, .target_bytes_max = 50};
  const auto with_target = [](std::size_t size) {
    return request("Host: a\r\n", "GET /" + std::string(size - 1, 'x') + " HTTP/1.1");
  };
  EXPECT_EQ(status_of(with_target(50), small), 0);
  EXPECT_EQ(status_of(with_target(51), small), 414);
  EXPECT_EQ(status_of(with_target(150), small), 414);
  const auto with_line = [](std::size_t size) {
    return request("Host: a\r\nX: " + std::string(size - 5, 'x') + "\r\n", "GET / HTTP/1.1");
  };
  EXPECT_EQ(status_of(with_line(100), small), 0);
  EXPECT_EQ(status_of(with_line(101), small), 431);
  const auto with_head = [](std::size_t size) {
    const auto start = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(90, 'x') + "\r\nY: ";
    return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n";
  };
  EXPECT_EQ(status_of(with_head(200), small), 0);
  EXPECT_EQ(status_of(with_head(201), small), 431);
  for (const auto& bytes : {with_target(50), with_target(51), with_target(150), with_line(100), with_line(101),
                            with_head(200), with_head(201)}) {
    expect_same_however_cut<RequestHead>(bytes, small);
  }
  RequestHead endless;
  EXPECT_EQ(endless.scan(std::string(99, 'x'), small), ScanState::need_more);
  EXPECT_EQ(endless.scan(std::string(101, 'x'), small), ScanState::refused);
}

TEST(RequestHead, HundredFieldsAndNoMore) {
  std::string fields = "Host: a\r\n";
  for (int i = 1; i < 100; ++i) fields += "X-" + std::to_string(i) + ": " + std::to_string(i) + "\r\n";
  RequestHead head;
  const auto bytes = request(fields);
  ASSERT_EQ(head.scan(bytes, kLimits), ScanState::complete);
  EXPECT_EQ(head.fields().size(), 100U);
  EXPECT_EQ(head.find("x-99"), "99");
  EXPECT_EQ(status_of(request(fields + "X-100: 100\r\n")), 431);
}

TEST(RequestHead, ByteByByteIsNotQuadratic) {
  const auto bytes =
      request("Host: a\r\nX: " + std::string(16'000, 'x') + "\r\nY: " + std::string(16'000, 'y') + "\r\n");
  RequestHead head;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    ASSERT_EQ(head.scan(std::string_view(bytes).substr(0, i), kLimits), ScanState::need_more);
  }
  EXPECT_EQ(head.scan(bytes, kLimits), ScanState::complete);
}

/// Each way to spoil a good head; the rule it breaks must win whatever else the head says.
struct Spoil {
  std::string_view rule;
  std::function<std::string(std::string)> apply;
};

std::string add_field(const std::string& head, std::string_view line) {
  return head.substr(0, head.size() - 2) + std::string(line) + "\r\n\r\n";
}

std::string after_first_line(const std::string& head, std::string_view line) {
  const auto end = head.find("\r\n", 2) + 2;
  return head.substr(0, end) + std::string(line) + "\r\n" + head.substr(end);
}

std::vector<Spoil> all_spoils() {
  std::vector<Spoil> spoils;
  for (auto line : {"Host: b"sv,
                    "Host: b\r\nHost: c"sv,
                    "HOST:"sv,
                    "Content-Length: 1\r\nContent-Length: 1"sv,
                    "Content-Length: 1, 1"sv,
                    "Content-Length: +1"sv,
                    "Content-Length: 1\r\nTransfer-Encoding: chunked"sv,
                    "Transfer-Encoding: gzip, chunked"sv,
                    "Transfer-Encoding: xchunked"sv,
                    "Transfer-Encoding:"sv,
                    "Transfer-Encoding: chunked\r\ntransfer-encoding: chunked"sv,
                    "Content_Length: 1"sv,
                    "Transfer_Encoding: chunked"sv,
                    "Transfer-Encoding : chunked"sv,
                    "X\t: y"sv,
                    "X: y\r\n folded"sv,
                    "X: y\r\n\tfolded"sv,
                    " X: y"sv,
                    "X: a\rb"sv,
                    "X: a\nb"sv,
                    "X: a\nY: b"sv,
                    "X: \0"sv,
                    "X: \x7f"sv,
                    "X\0: y"sv,
                    "X"sv,
                    ": y"sv,
                    "X Y: z"sv,
                    "Content-Encoding: gzip"sv,
                    "Expect: more"sv,
                    "\rX: y"sv,
                    "\nX: y"sv,
                    "X: y\r"sv,
                    "X: \x1b[31m"sv}) {
    spoils.push_back({line, [line](const std::string& head) { return add_field(head, line); }});
    spoils.push_back({line, [line](const std::string& head) { return after_first_line(head, line); }});
  }
  for (auto version : {"HTTP/1.1x", "HTTP/3.0", "HTTP/1.2", "http/1.1", "HTTP/1.1 ", "HTTP /1.1"}) {
    spoils.push_back({version, [version](std::string head) { return head.replace(head.find("HTTP/1."), 8, version); }});
  }
  return spoils;
}

TEST(RequestHead, NoSpoiledHeadIsAccepted) {
  int refused = 0;
  for (const auto& good : kValidRequests) {
    for (const auto& spoil : all_spoils()) {
      const auto bad = spoil.apply(good);
      if (spoil.rule == "Host: b" && good.find("ost:") == good.npos) continue;  // its first one
      EXPECT_GE(status_of(bad), 400) << bad;
      expect_same_however_cut<RequestHead>(bad);
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(RequestHead, CutOffHeadsAreNeverComplete) {
  for (const auto& good : kValidRequests) {
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_EQ(status_of(good.substr(0, size)), -1);
  }
}

TEST(ReplyHead, ReadsAllThatTheGatewayNeeds) {
  ReplyHead head;
  ASSERT_EQ(head.scan(kValidReplies[3] + "data", kLimits), ScanState::complete);
  EXPECT_EQ(head.status(), 200);
  EXPECT_TRUE(head.chunked());
  EXPECT_TRUE(head.keep_alive());
  EXPECT_FALSE(head.bodyless());
  EXPECT_EQ(head.content_length(), std::nullopt);
  EXPECT_EQ(head.head_bytes(), kValidReplies[3].size());
}

TEST(ReplyHead, SameResultHoweverTheBytesAreCut) {
  for (const auto& bytes : kValidReplies) {
    EXPECT_EQ(scan_reply(bytes), ScanState::complete) << bytes;
    expect_same_however_cut<ReplyHead>(bytes);
  }
}

TEST(ReplyHead, InformationalRepliesComeOutLikeOthers) {
  const auto bytes = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"s;
  ReplyHead head;
  ASSERT_EQ(head.scan(bytes, kLimits), ScanState::complete);
  EXPECT_EQ(head.status(), 103);
  EXPECT_TRUE(head.bodyless());
  const auto rest = std::string_view(bytes).substr(head.head_bytes());
  head.reset();
  ASSERT_EQ(head.scan(rest, kLimits), ScanState::complete);
  EXPECT_EQ(head.status(), 200);
  EXPECT_EQ(rest.substr(head.head_bytes()), "ok");
}

TEST(ReplyHead, StatusLine) {
  for (auto line : {"HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 599 a\tb", "HTTP/1.1 100 x"}) {
    EXPECT_EQ(scan_reply(line + "\r\n\r\n"s), ScanState::complete) << line;
  }
  for (auto line : {"HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1  200", "HTTP/2 200", "HTTP/1.1 099 x",
                    "HTTP/1.1 600 x", "HTTP/1.1 2x0 x", "HTTP/1.1 200OK", "http/1.1 200 OK", "HTTP/1.2 200 OK",
                    "HTTP/1.1 200 \x01", "", "ICY 200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200 a\rb"}) {
    EXPECT_EQ(scan_reply(line + "\r\n\r\n"s), ScanState::refused) << line;
  }
}

TEST(ReplyHead, FramingThatContradictsItselfIsRefused) {
  for (auto fields :
       {"Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: 3, 3\r\n", "Content-Length: +3\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "X: a\r\n folded\r\n", "X : a\r\n",
        "X: a\rb\r\n", "X: a\nb\r\n", "X: \x01\r\n"}) {
    EXPECT_EQ(scan_reply("HTTP/1.1 200 OK\r\n"s + fields + "\r\n"), ScanState::refused) << fields;
    expect_same_however_cut<ReplyHead>("HTTP/1.1 200 OK\r\n"s + fields + "\r\n");
  }
  EXPECT_EQ(scan_reply("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ScanState::refused);
  EXPECT_EQ(scan_reply("\r\nHTTP/1.1 200 OK\r\n\r\n"), ScanState::refused);
}

TEST(Characters, ClassesFollowTheStandards) {
  int tokens = 0;
  for (int i = 0; i < 256; ++i) tokens += is(kToken, static_cast<char>(i));
  EXPECT_EQ(tokens, 10 + 52 + 15);
  EXPECT_TRUE(is(kValue, '\t') && is(kValue, '\xff') && !is(kValue, '\x7f') && !is(kValue, '\r'));
  EXPECT_TRUE(is(kHexDigit, 'F') && is(kHexDigit, 'a') && !is(kHexDigit, 'g') && !is(kHexDigit, 'G'));
  EXPECT_TRUE(!is(kTarget, ' ') && !is(kTarget, '#') && is(kTarget, '[') && !is(kTarget, '\x80'));
}

}  // namespace
}  // namespace weir::net
