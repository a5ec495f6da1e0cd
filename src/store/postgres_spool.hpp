#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weir/base/result.hpp>

namespace weir::store {

/// Documents that wait on disk, in one file, oldest first. Held by a lock while it lives, so that no other process
/// reads the same file. A torn end (the machine or the process died while it wrote) is cut off when the file is opened.
/// Thread: one.
class PostgresSpool {
 public:
  struct Document {
    std::string text;
    std::uint64_t calls = 0;
    bool sound = true;  ///< false = the disk gave back something else than was written; `text` is empty then
  };

  /// Opens the file, or makes it (mode 0600). nullptr where another process holds it, or it went away meanwhile.
  static Result<std::unique_ptr<PostgresSpool>> open(const std::string& path, bool make);
  ~PostgresSpool();
  PostgresSpool(const PostgresSpool&) = delete;
  PostgresSpool& operator=(const PostgresSpool&) = delete;

  /// On disk when it returns. After an error nothing of it is.
  Result<void> append(std::string_view document, std::uint64_t calls);
  /// Requires: !empty(). The oldest that waits; the same again until done() is called.
  Result<Document> oldest() const;
  /// The oldest is dealt with. When it was the last, the file is removed and the object is of no more use.
  void done();

  bool empty() const { return read_at_ == size_; }
  std::uint64_t bytes() const { return size_; }
  std::uint64_t calls() const { return calls_; }  ///< of the documents that wait
  std::uint64_t torn_bytes() const { return torn_bytes_; }
  const std::string& path() const { return path_; }

 private:
  PostgresSpool(std::string path, int file) : path_(std::move(path)), file_(file) {}
  Result<void> find_end();

  std::string path_;
  int file_;
  std::uint64_t read_at_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t torn_bytes_ = 0;
};

/// Files in `folder` that a process may have left; those that are held are among them.
std::vector<std::string> postgres_spool_files(const std::string& folder);
std::string postgres_spool_file(const std::string& folder, std::uint64_t instance);
/// Whose file that is; 0 = the name does not say.
std::uint64_t postgres_spool_instance(const std::string& path);

/// Appends to a file (mode 0600) and waits for the disk; nothing is written beyond `bytes_max`.
Result<void> append_durably(const std::string& path, std::string_view text, std::uint64_t bytes_max);

}  // namespace weir::store
