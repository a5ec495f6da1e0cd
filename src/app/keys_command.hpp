#pragma once
#include <memory>

namespace CLI {
class App;
}

namespace weir::app {

/// `weir keys new|list|revoke|rotate`: `new` needs no running weir, the others ask one at its admin port.
/// Lifetime: outlives the parsing of the command line.
class KeysCommand {
 public:
  explicit KeysCommand(CLI::App& cli);
  ~KeysCommand();
  int run();  ///< after parsing; the exit code

 private:
  struct Options;
  std::unique_ptr<Options> options_;
};

}  // namespace weir::app
