#include "net/http1_chunked.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::net {
namespace {

using namespace std::string_literals;

struct Decoded {
  std::string payload;
  std::string rest;
  bool done = false;
  bool failed = false;
  bool operator==(const Decoded&) const = default;
};

/// Decodes in portions, each in a block of exactly its size; what is behind the body is kept.
Decoded decode(std::string_view wire, std::size_t first_portion = std::string::npos,
               std::size_t portion = std::string::npos) {
  ChunkedDecoder decoder;
  Decoded result;
  std::size_t take = first_portion;
  while (!wire.empty() && !decoder.done() && !decoder.failed()) {
    const auto part = wire.substr(0, take);
    take = portion;
    auto block = std::make_unique<char[]>(part.size());
    part.copy(block.get(), part.size());
    const auto [consumed, produced] = decoder.decode(block.get(), part.size());
    EXPECT_LE(produced, consumed);
    EXPECT_LE(consumed, part.size());
    EXPECT_EQ(std::string_view(block.get() + consumed, part.size() - consumed), part.substr(consumed));
    EXPECT_TRUE(consumed == part.size() || decoder.done() || decoder.failed());
    result.payload.append(block.get(), produced);
    wire.remove_prefix(consumed);
    if (part.empty()) take = 1;
  }
  EXPECT_EQ(decoder.reason().empty(), !decoder.failed());
  result.rest = wire;
  result.done = decoder.done();
  result.failed = decoder.failed();
  return result;
}

void expect_same_however_cut(std::string_view wire) {
  const auto whole = decode(wire);
  EXPECT_EQ(decode(wire, 1, 1), whole) << wire;
  for (std::size_t cut = 1; cut < wire.size(); ++cut) EXPECT_EQ(decode(wire, cut), whole) << "cut at " << cut;
}

TEST(ChunkedDecoder, DecodesAndLeavesWhatFollows) {
  const std::vector<std::pair<std::string, std::string>> samples{
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"0\r\n\r\n", ""},
      {"000\r\n\r\n", ""},
      {"00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij"},
      {"2\r\n\r\n\r\n1\r\n\0\r\n0\r\n\r\n"s, "\r\n\0"s},
      {"3;a=b\r\nabc\r\n0;x;y=\"q; \t=\";z\r\n\r\n", "abc"},
      {"3\r\nabc\r\n0\r\nX-Sum: 1\r\nAuthorization:\r\n\r\n", "abc"},
  };
  for (const auto& [wire, payload] : samples) {
    for (const auto& rest : {""s, "GET / HTTP/1.1\r\n"s, "\r\n"s, "0\r\n\r\n"s}) {
      EXPECT_EQ(decode(wire + rest), (Decoded{payload, rest, true, false})) << wire;
      expect_same_however_cut(wire + rest);
    }
    for (std::size_t size = 0; size < wire.size(); ++size) {
      const auto part = decode(wire.substr(0, size));
      EXPECT_FALSE(part.done || part.failed) << wire.substr(0, size);
    }
  }
}

TEST(ChunkedDecoder, RefusesBadSizes) {  // SEMANTICS 37
  for (auto wire : {"\r\n",
                    "g\r\n",
                    "0x5\r\nhello\r\n",
                    "+5\r\nhello\r\n",
                    "-1\r\n",
                    " 5\r\nhello\r\n",
                    "5 \r\nhello\r\n",
                    "5\t\r\nhello\r\n",
                    "5\nhello\n",
                    "5\rhello\r\n",
                    "1234567890abcdef\r\n",
                    "0000000000000000\r\n\r\n",
                    "5,5\r\n",
                    "5\r\nhello0\r\n\r\n",
                    "5\r\nhello\n0\r\n\r\n",
                    "5\r\nhello\rx",
                    "5\r\nhell\r\n0\r\n\r\n",
                    "4\r\nhello\r\n0\r\n\r\n",
                    ";a\r\n",
                    "\xEF\xBC\x95\r\n"}) {
    EXPECT_TRUE(decode(wire).failed) << wire;
    expect_same_however_cut(wire);
  }
}

TEST(ChunkedDecoder, RefusesBadExtensions) {
  for (auto wire :
       {"1;\r\n", "1;;\r\n", "1;=a\r\n", "1;a=\r\n", "1;a=\"b\r\n", "1;a=\"b\"c\r\n", "1;a=b=c\r\n", "1; a\r\n",
        "1;a \r\n", "1;a\n", "1;a=\"\\\"\"\r\n", "1;a=\"\\x\"\r\n", "1;a=\"\n\"\r\n", "1;a\rx", "1;a=\"b\"\n"}) {
    EXPECT_TRUE(decode(wire).failed) << wire;
    expect_same_however_cut(wire);
  }
}

TEST(ChunkedDecoder, RefusesBadTrailers) {
  for (auto wire :
       {"0\r\nX\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: y\n\r\n",
        "0\r\nX: y\r\n folded\r\n\r\n", "0\r\nX: \x01\r\n\r\n", "0\r\nX: y\rz\r\n\r\n", "0\r\n\rx", "0\r\n\n"}) {
    EXPECT_TRUE(decode(wire).failed) << wire;
    expect_same_however_cut(wire);
  }
}

TEST(ChunkedDecoder, TrailersAndExtensionsAreBounded) {
  const auto trailer = [](std::size_t size) { return "0\r\nX:" + std::string(size, 'x') + "\r\n\r\n"; };
  EXPECT_TRUE(decode(trailer(4000)).done);
  EXPECT_TRUE(decode(trailer(70'000)).failed);
  std::string many = "0\r\n";
  for (int i = 0; i < 2000; ++i) many += "X:\r\n";
  EXPECT_TRUE(decode(many + "\r\n").failed);
  EXPECT_TRUE(decode("1;" + std::string(4000, 'x') + "\r\na\r\n0\r\n\r\n").done);
  EXPECT_TRUE(decode("1;" + std::string(5000, 'x') + "\r\na\r\n0\r\n\r\n").failed);
}

TEST(ChunkedDecoder, ExtensionsAreFineWherePayloadPaysForThemOnly) {
  std::string paid;
  std::string unpaid;
  for (int i = 0; i < 1000; ++i) {
    paid += "100;signature=0123456789abcdef0123456789abcdef\r\n" + std::string(256, 'p') + "\r\n";
    unpaid += "1;signature=0123456789abcdef0123456789abcdef\r\np\r\n";
  }
  EXPECT_TRUE(decode(paid + "0\r\n\r\n").done);
  EXPECT_TRUE(decode(unpaid + "0\r\n\r\n").failed);
}

TEST(ChunkedDecoder, ManyOneByteChunksAndATrailerAreFine) {
  std::string wire;
  for (int i = 0; i < 20'000; ++i) wire += "1\r\nx\r\n";
  const auto decoded = decode(wire + "0\r\nX: y\r\n\r\nrest");
  EXPECT_TRUE(decoded.done);
  EXPECT_EQ(decoded.payload, std::string(20'000, 'x'));
  EXPECT_EQ(decoded.rest, "rest");
}

TEST(ChunkedDecoder, HugeSizesDoNotOverflow) {
  std::string wire = "fffffffffffffff\r\n" + std::string(1000, 'x');
  ChunkedDecoder decoder;
  const auto [consumed, produced] = decoder.decode(wire.data(), wire.size());
  EXPECT_EQ(consumed, wire.size());
  EXPECT_EQ(produced, 1000U);
  EXPECT_FALSE(decoder.done() || decoder.failed());
}

TEST(ChunkedDecoder, NothingIsTakenAfterTheEndAndResetBeginsAnew) {
  std::string wire = "0\r\n\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.decode(wire.data(), wire.size()).consumed, 5U);
  EXPECT_EQ(decoder.decode(wire.data() + 5, 5).consumed, 0U);
  decoder.reset();
  EXPECT_EQ(decoder.decode(wire.data() + 5, 5).consumed, 5U);
  EXPECT_TRUE(decoder.done());
}

}  // namespace
}  // namespace weir::net
