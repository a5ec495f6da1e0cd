#include "providers/image_address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::providers {
namespace {

const std::vector<std::string> kHosts{"images.example.com", "CDN.example.com:8443", "127.0.0.1", "[2001:db8::1]:444"};

TEST(ImageAddress, AListedHostIsRead) {
  const auto plain = read_image_url("https://images.example.com/a/b.png?sig=1%2F2&x=#part", kHosts);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "images.example.com");
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->authority, "images.example.com");
  EXPECT_EQ(plain->target, "/a/b.png?sig=1%2F2&x=");
  EXPECT_FALSE(plain->literal);

  const auto port = read_image_url("https://cdn.EXAMPLE.com:8443?x", kHosts);
  ASSERT_TRUE(port);
  EXPECT_EQ(port->host, "cdn.example.com");
  EXPECT_EQ(port->port, 8443);
  EXPECT_EQ(port->target, "/?x");

  const auto literal = read_image_url("https://127.0.0.1:443/", kHosts);
  ASSERT_TRUE(literal);
  EXPECT_TRUE(literal->literal);
  const auto six = read_image_url("https://[2001:db8::1]:444/i", kHosts);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "2001:db8::1");
  EXPECT_EQ(six->port, 444);
  EXPECT_TRUE(six->literal);
}

TEST(ImageAddress, EverythingElseIsNot) {
  for (const std::string url : {"http://images.example.com/a.png",
                                "HTTPS://images.example.com/a.png",
                                "https://other.example.com/",
                                "https://images.example.com.evil.test/",
                                "https://evil.test/images.example.com",
                                "https://evil.test#images.example.com",
                                "https://images.example.com@evil.test/",
                                "https://user:pass@images.example.com/",
                                "https://evil.test\\@images.example.com/",
                                "https://images.example.com:8443/",
                                "https://cdn.example.com/",
                                "https://images.example.com:/",
                                "https://images.example.com:0443/a",
                                "https://images.example.com./a",
                                "https:///a",
                                "https://",
                                "https://127.0.0.2/",
                                "https://0x7f000001/",
                                "https://images.example.com/a b",
                                "https://images.example.com/a\r\nHost: x",
                                "https://images.example.com/\xc3\xbc",
                                "file:///etc/passwd",
                                "data:image/png;base64,x",
                                "https://images%2eexample.com/",
                                "//images.example.com/"}) {
    EXPECT_FALSE(read_image_url(url, kHosts)) << url;
  }
  EXPECT_FALSE(read_image_url("https://images.example.com/" + std::string(5000, 'a'), kHosts));
  EXPECT_FALSE(read_image_url("https://images.example.com/", {}));
}

TEST(ImageAddress, AnImageIsKnownByItsBytes) {
  EXPECT_EQ(image_type("\x89PNG\r\n\x1a\n...."), "image/png");
  EXPECT_EQ(image_type("\xff\xd8\xff\xe0"), "image/jpeg");
  EXPECT_EQ(image_type("GIF89a"), "image/gif");
  EXPECT_EQ(image_type("RIFF\x01\x02\x03\x04WEBPVP8 "), "image/webp");
  for (const std::string_view other : {"", "<svg>", "<html>", "RIFF....WAVE....", "\x89PN", "{\"secret\":1}"}) {
    EXPECT_EQ(image_type(other), "") << other;
  }
}

TEST(ImageAddress, Base64AsRfc4648ShowsIt) {
  const auto encoded = [](std::string_view bytes) {
    std::string text;
    append_base64(bytes, text);
    return text;
  };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xfb\xff\xfe"), "+//+");
}

}  // namespace
}  // namespace weir::providers
