#pragma once
#include <weir/exchange/service.hpp>

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace weir::fakes {

/// Runs a coroutine that waits for nothing outside, for rooms that know no worker.
template <class T>
T run_once(awaitable<T> task) {
  boost::asio::io_context loop;
  std::optional<T> result;
  boost::asio::co_spawn(loop, std::move(task), [&result](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result.emplace(std::move(value));
  });
  loop.run();
  if (!result) throw std::runtime_error("the coroutine did not end");
  return std::move(*result);
}

}  // namespace weir::fakes
