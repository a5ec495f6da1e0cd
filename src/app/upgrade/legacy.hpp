#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

/// What a process leaves to the next one at a hot restart, in an environment variable: which descriptor listens where,
/// and the channel between both. Later versions may add words; those that are not known are skipped.
struct Legacy {
  static constexpr const char* kVariable = "WEIR_LEGACY";

  struct Listener {
    std::string address;  ///< of address_text()
    int descriptor = -1;
  };
  std::vector<Listener> listeners;
  int channel = -1;  ///< negative = no predecessor

  /// "channel=4 3=127.0.0.1:8080"
  std::string text() const;
  static Legacy parse(std::string_view text);
  /// The descriptor that listens on this address, once; -1 = none, the address is to be opened anew.
  int take(std::string_view host, std::uint16_t port);
};

/// One spelling for an address however the settings write it: localhost is 127.0.0.1, ::0 is ::.
std::string address_text(std::string_view host, std::uint16_t port);

/// What the two processes say to each other.
enum class Note : char {
  ready = 'R',   ///< new to old: I take calls; `text` is empty
  failed = 'F',  ///< new to old: I cannot; `text` says why
  owner = 'O',   ///< old to new: all that one process owns is yours; `text` is empty
};

struct Message {
  Note note;
  std::string text;
  bool operator==(const Message&) const = default;
};

/// The bytes of one message: length of the text (4 bytes, big endian), note (1 byte), text, which is cut off past
/// Messages::kTextBytesMax.
std::string frame_of(const Message& message);

/// Bytes of the channel, cut anywhere → messages. Sans-io. Notes that this version does not know are skipped.
class Messages {
 public:
  static constexpr std::size_t kTextBytesMax = 64U << 10;

  void feed(std::string_view bytes) { bytes_.append(bytes); }
  std::optional<Message> next();
  bool broken() const { return broken_; }  ///< not what frame_of() writes; nothing comes any more

 private:
  std::string bytes_;
  bool broken_ = false;
};

}  // namespace weir::app
